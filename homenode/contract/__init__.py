"""What other systems see of a node: topics, payloads, commands, and the JSON Schema of each (pure).

The shapes are a contract: ``hn1`` in each topic is its version.
"""
