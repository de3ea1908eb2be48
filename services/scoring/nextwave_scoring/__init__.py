"""Who the customer is and how likely they are to leave: identity, profile, churn risk, kept current by every event and by silence."""
