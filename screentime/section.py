"""What every section of a file of parameters is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One section: unknown keys are refused, nothing is converted, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
