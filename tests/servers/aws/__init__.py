"""A server that plays AWS for tests: one endpoint, strict where AWS is, deterministic where AWS is not.

A call flows through it in one direction:

    front -> models (which operation) -> wire (its members) -> validate -> semantics -> validate -> wire -> log

The semantics of a service are in the file that is named after it; what no file has is moto's, if moto has it, and is
refused otherwise. Requests, and the answers of our own files, are validated by the service models of botocore. Nothing
here knows who calls.

Time and chance are taken out. A state such as `CREATING` ends after so many looks at the thing, not after so many
seconds; the clock moves by a second with each call; ids are counted. What a test wants to go wrong it asks for in
advance: `control.py`.
"""
