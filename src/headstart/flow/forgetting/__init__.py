"""A person's rows removed from what Headstart keeps of them; models that learnt from them are named."""
