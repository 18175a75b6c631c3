"""What a folder, file or zip was taken for, before anything of it becomes an example; nothing is written."""
