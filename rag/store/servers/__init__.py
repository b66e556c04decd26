"""What a library on servers is kept in."""
