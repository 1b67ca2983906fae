"""What a folder gives away of patients and of the machine, before it is shared."""
