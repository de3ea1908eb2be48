"""When a customer may be contacted: the law, the holidays, the house and the customer, in every zone where they may be."""
