//! The instrument from outside: the shipped files, and what a user does with them.

use std::{fs, path::Path};

use scilit::instrument::{Questionnaire, ScoringProfile};

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("questionnaires").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn questionnaire(id: &str) -> Questionnaire {
    let name = format!("{id}.toml");
    Questionnaire::from_toml(&name, &shipped(&name)).unwrap_or_else(|faults| panic!("{faults}"))
}

fn profile(id: &str) -> ScoringProfile {
    let name = format!("profiles/{id}.toml");
    ScoringProfile::from_toml(&name, &shipped(&name)).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn the_shipped_questionnaire_fits_the_profile_of_2024() {
    profile("A-2024").check_fit(&questionnaire("csl-demo")).unwrap_or_else(|faults| panic!("{faults}"));
}
