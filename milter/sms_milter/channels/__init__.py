"""Messages by other channels than SMS, on their way to the outlets that take them."""
