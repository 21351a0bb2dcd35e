//! What compiles, and what the compiler says where it does not.

#[test]
fn what_the_grammar_allows_compiles_and_runs() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}
