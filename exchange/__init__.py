"""Messages to and from other systems: outbox, HL7 v2, analysers, webhooks."""
