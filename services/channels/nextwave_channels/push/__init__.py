"""Web push: subscriptions that pages bring, and messages sealed for them."""
