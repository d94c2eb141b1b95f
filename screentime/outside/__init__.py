"""Films that belong to no project: what a trained model makes of them."""
