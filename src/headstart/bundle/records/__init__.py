"""Files of a bundle as typed records: parsed strictly before anything is made of them."""
