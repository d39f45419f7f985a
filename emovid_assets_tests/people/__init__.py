"""The round trip with Label Studio: what is sent, what is kept, and the whole way through a real server."""
