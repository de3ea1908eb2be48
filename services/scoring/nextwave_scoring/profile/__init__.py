"""All that is known of a customer, folded from touchpoints and outcomes only, in any order."""
