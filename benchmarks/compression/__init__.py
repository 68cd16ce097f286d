"""How few numbers a picture becomes, and how well it is drawn from them."""
