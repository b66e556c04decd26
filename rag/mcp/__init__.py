"""The library for programs that call tools: a server of the Model Context Protocol."""
