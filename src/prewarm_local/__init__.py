"""The embedded stack and the simulated CloudFront, which replace AWS on one machine; never deployed to AWS."""
