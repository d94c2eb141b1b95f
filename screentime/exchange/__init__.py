"""Labels to and from other tools.

One module for each format knows the file and nothing of the project: it reads it into `found.Found`, in the file's own
names, or writes what it is given. arriving.py makes rows of a label file from what was found, leaving.py tells what label
files say in the form that formats want, likeness.py finds the frame that a picture shows.
"""
