"""The API, /api/v1: one table of routes makes its views, its checks and its OpenAPI document."""
