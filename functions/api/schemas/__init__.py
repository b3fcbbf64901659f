"""The API's response models and its OpenAPI document."""
