"""The page, the API and the metrics: what people and programs see of netprov."""
