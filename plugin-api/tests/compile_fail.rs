//! What a module's author cannot write: the compiler says why.

#[test]
fn the_registrar_cannot_leave_init_and_settings_are_derived() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
