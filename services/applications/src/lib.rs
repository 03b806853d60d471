//! Requests for public services: drafts, evidence, submission, review, decision, timeline.
