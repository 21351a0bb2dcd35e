//! Integration tests of the decision logic, one module per rule.
