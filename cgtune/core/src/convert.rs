//! Kubernetes requests and limits → what a runtime writes. Placeholder until the next commit.
