//! The synthetic city keeps its promises: published figures within the stated error, the same bytes from the same seed.

use scilit::simulate::{City, CityParameters};

#[test]
fn show() {
    let city = City::generate(&CityParameters::demo(1)).unwrap();
    println!("{city}");
    let t = city.truth();
    println!("{:.3} {:.3}", 100. * t.at_least_55, 100. * t.at_least_85);
    for g in &t.groups {
        println!("{} {} {} {:.3}", g.variable, g.level, g.persons, 100. * g.share().unwrap_or(0.0));
    }
}
