"""Lives of things on the test server, led by boto3, which knows nothing of the server.

`python -m lives MODULE …` runs the tests of the modules and prints how long each took. The server that they call is in
`SERVER`.
"""
