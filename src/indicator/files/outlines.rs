//! The outlines of a survey's districts: GeoJSON that somebody supplies, checked whole and brought into one form.

use std::collections::{BTreeMap, BTreeSet};

use geojson::{Feature, FeatureCollection, Geometry, GeometryValue, JsonObject, PolygonType, Position};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// One fault of the outlines, with its place in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineFault {
    /// The place (RFC 6901); empty for the whole.
    pub pointer: String,
    /// The line, where the text could not be read from there on.
    pub line: Option<u64>,
    /// A stable code for programs.
    pub code: &'static str,
    /// What is wrong, in Chinese.
    pub message_zh: String,
    /// What is wrong, in English.
    pub message_en: String,
}

/// Checked outlines: polygons by the district's code as the survey writes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlines {
    /// The polygons of each district.
    pub districts: BTreeMap<String, Vec<PolygonType>>,
    /// Where they come from, in the words of whoever supplies them.
    pub source: Option<String>,
    /// 审图号, the number under which a public map was approved.
    pub review_number: Option<String>,
}

/// Names of the property that holds the region code; the first that a feature has counts.
const CODE_NAMES: [&str; 3] = ["region", "adcode", "code"];
/// About a metre, which no map on a page shows.
const DECIMALS: f64 = 1e5;
const NOTE_LENGTH_MAX: usize = 200;
const FAULTS_MAX: usize = 1000;
/// A ring is closed: a triangle has four positions.
const RING_LENGTH_MIN: usize = 4;

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: Option<Value>,
    #[serde(borrow)]
    features: Option<Vec<&'a RawValue>>,
    source: Option<Value>,
    review_number: Option<Value>,
}

impl Outlines {
    /// Reads a GeoJSON `FeatureCollection` of polygons for these districts and checks it whole. The members `source` and
    /// `review_number` of the collection are kept; heights and other members are not.
    ///
    /// # Errors
    /// Every fault with its place: what is no GeoJSON, a shape without area, a code that is none of a district or stands
    /// twice, a ring that is not closed, coordinates that are no longitude and latitude.
    pub fn parse(text: &str, districts: &BTreeSet<String>) -> Result<Self, Vec<OutlineFault>> {
        let mut faults = Faults(Vec::new());
        let document: Document<'_> = match serde_json::from_str(text) {
            Ok(document) => document,
            Err(error) => {
                faults.add(String::new(), "not-geojson", "不是有效的 GeoJSON", "is not GeoJSON");
                faults.0[0].line = u64::try_from(error.line()).ok().filter(|line| *line > 0);
                return Err(faults.0);
            }
        };
        let features = match (&document.kind, document.features) {
            (Some(Value::String(kind)), Some(features)) if kind == "FeatureCollection" => features,
            _ => {
                faults.add(
                    "/type".to_owned(),
                    "not-a-collection",
                    "应为要素集合（FeatureCollection）",
                    "must be a FeatureCollection",
                );
                return Err(faults.0);
            }
        };
        if features.is_empty() {
            faults.add("/features".to_owned(), "no-feature", "没有任何要素", "has no feature");
        }
        let mut reader = Reader { faults, districts, found: BTreeMap::new(), first: BTreeMap::new() };
        for (place, raw) in features.into_iter().enumerate() {
            reader.feature(place, raw.get());
        }
        let source = reader.note("source", document.source);
        let review_number = reader.note("review_number", document.review_number);
        if reader.faults.0.is_empty() {
            Ok(Self { districts: reader.found, source, review_number })
        } else {
            Err(reader.faults.0)
        }
    }

    /// The outlines as they are kept: features in the order of their codes, positions rounded to about a metre.
    #[must_use]
    pub fn canonical(&self) -> String {
        let feature = |(code, polygons): (&String, &Vec<PolygonType>)| Feature {
            bbox: None,
            id: None,
            foreign_members: None,
            properties: Some(JsonObject::from_iter([("region".to_owned(), Value::from(code.as_str()))])),
            geometry: Some(Geometry::new(GeometryValue::MultiPolygon { coordinates: polygons.clone() })),
        };
        let notes = [("source", &self.source), ("review_number", &self.review_number)];
        let members: JsonObject = notes
            .into_iter()
            .filter_map(|(name, note)| note.as_ref().map(|note| (name.to_owned(), Value::from(note.as_str()))))
            .collect();
        let features = self.districts.iter().map(feature).collect();
        let collection = FeatureCollection { bbox: None, features, foreign_members: Some(members) };
        serde_json::to_string(&collection).unwrap_or_default()
    }

    /// The districts without an outline.
    #[must_use]
    pub fn missing<'a>(&self, districts: &'a BTreeSet<String>) -> Vec<&'a str> {
        districts.iter().filter(|code| !self.districts.contains_key(*code)).map(String::as_str).collect()
    }
}

struct Faults(Vec<OutlineFault>);

impl Faults {
    fn add(&mut self, pointer: String, code: &'static str, zh: impl Into<String>, en: impl Into<String>) {
        let (message_zh, message_en) = (zh.into(), en.into());
        let fault = OutlineFault { pointer, line: None, code, message_zh, message_en };
        match self.0.len() {
            0..FAULTS_MAX => self.0.push(fault),
            FAULTS_MAX => self.0.push(OutlineFault {
                pointer: String::new(),
                line: None,
                code: "more-faults",
                message_zh: "后面还有问题，未一一列出".to_owned(),
                message_en: "there are more faults, not listed one by one".to_owned(),
            }),
            _ => {}
        }
    }
}

struct Reader<'a> {
    faults: Faults,
    districts: &'a BTreeSet<String>,
    found: BTreeMap<String, Vec<PolygonType>>,
    /// The feature that had a code first.
    first: BTreeMap<String, usize>,
}

impl Reader<'_> {
    /// People count features from one, pointers from zero.
    fn fault(&mut self, place: usize, part: &str, code: &'static str, zh: &str, en: &str) {
        let number = place + 1;
        let pointer = format!("/features/{place}{part}");
        self.faults.add(pointer, code, format!("第 {number} 个要素{zh}"), format!("feature {number} {en}"));
    }

    fn feature(&mut self, place: usize, raw: &str) {
        let Ok(feature) = serde_json::from_str::<Feature>(raw) else {
            return self.fault(place, "", "bad-feature", "不是有效的 GeoJSON 要素", "is no GeoJSON feature");
        };
        let code = self.code(place, feature.properties.as_ref());
        let polygons = match feature.geometry.map(|geometry| geometry.value) {
            Some(GeometryValue::Polygon { coordinates }) => vec![coordinates],
            Some(GeometryValue::MultiPolygon { coordinates }) => coordinates,
            _ => {
                let zh = "应为多边形（Polygon 或 MultiPolygon）";
                return self.fault(place, "/geometry", "geometry-type", zh, "must be a Polygon or MultiPolygon");
            }
        };
        let polygons = self.rounded(place, polygons);
        if let (Some(code), Some(polygons)) = (code, polygons) {
            self.found.insert(code, polygons);
        }
    }

    /// The district's code as the survey writes it.
    fn code(&mut self, place: usize, properties: Option<&JsonObject>) -> Option<String> {
        let named = CODE_NAMES.into_iter().find_map(|name| Some((name, properties?.get(name)?)));
        let Some((name, value)) = named else {
            let (zh, en) = ("没有属性 region（或 adcode、code）", "has no property region (or adcode, code)");
            self.fault(place, "/properties", "no-code", zh, en);
            return None;
        };
        let part = format!("/properties/{name}");
        let written = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        if !matches!(written.len(), 6 | 12) || !written.bytes().all(|byte| byte.is_ascii_digit()) {
            self.fault(
                place,
                &part,
                "bad-code",
                "的代码不是 6 位或 12 位区划代码",
                "has a code that is not of 6 or 12 digits",
            );
            return None;
        }
        let known = self.districts.iter().find(|code| significant(code) == significant(&written)).cloned();
        let Some(code) = known else {
            let (zh, en) = (
                format!("的代码“{written}”不是本调查的区、县（市）"),
                format!("has the code `{written}` of no district of the survey"),
            );
            self.fault(place, &part, "unknown-region", &zh, &en);
            return None;
        };
        if let Some(before) = self.first.get(&code).map(|before| before + 1) {
            let (zh, en) = (
                format!("的代码“{written}”已在第 {before} 个要素出现"),
                format!("has the code `{written}` of feature {before}"),
            );
            self.fault(place, &part, "duplicate", &zh, &en);
            return None;
        }
        self.first.insert(code.clone(), place);
        Some(code)
    }

    /// The polygons with every position rounded; of each feature the first fault is told.
    fn rounded(&mut self, place: usize, polygons: Vec<PolygonType>) -> Option<Vec<PolygonType>> {
        let part = "/geometry/coordinates";
        if polygons.is_empty() || polygons.iter().any(Vec::is_empty) {
            self.fault(place, part, "empty", "没有坐标", "has no coordinates");
            return None;
        }
        let rings = || polygons.iter().flatten();
        if rings().any(|ring| ring.len() < RING_LENGTH_MIN || ring.first() != ring.last()) {
            let zh = "有环没有闭合，或不足 4 个点";
            self.fault(place, part, "open-ring", zh, "has a ring that is not closed or has fewer than 4 positions");
            return None;
        }
        if rings().flatten().any(|position| !is_on_earth(position)) {
            let (zh, en) =
                ("的坐标不是以度为单位的经度、纬度", "has coordinates that are no longitude and latitude in degrees");
            self.fault(place, part, "coordinates", zh, en);
            return None;
        }
        let ring = |ring: &Vec<Position>| ring.iter().map(|at| Position::from([round(at[0]), round(at[1])])).collect();
        Some(polygons.iter().map(|polygon| polygon.iter().map(ring).collect()).collect())
    }

    fn note(&mut self, name: &str, value: Option<Value>) -> Option<String> {
        let text = match value {
            None | Some(Value::Null) => return None,
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(_) => "\0".to_owned(),
        };
        if text.chars().count() > NOTE_LENGTH_MAX || text.chars().any(char::is_control) {
            let (zh, en) = (
                format!("{name} 应为不超过 {NOTE_LENGTH_MAX} 字的一行文字"),
                format!("{name} must be one line of up to {NOTE_LENGTH_MAX} signs"),
            );
            self.faults.add(format!("/{name}"), "note", zh, en);
            return None;
        }
        Some(text).filter(|text| !text.is_empty())
    }
}

/// Codes of twelve digits name a district by six and end in zeros.
fn significant(code: &str) -> &str {
    if code.len() == 12 { code.strip_suffix("000000").unwrap_or(code) } else { code }
}

fn is_on_earth(position: &Position) -> bool {
    match position.as_slice() {
        [east, north, ..] => (-180.0..=180.0).contains(east) && (-90.0..=90.0).contains(north),
        _ => false,
    }
}

/// Adding zero makes a minus zero plain.
fn round(degrees: f64) -> f64 {
    (degrees * DECIMALS).round() / DECIMALS + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn districts() -> BTreeSet<String> {
        ["230102", "230103000000"].map(str::to_owned).into()
    }

    fn feature(properties: &str, geometry: &str) -> String {
        format!(r#"{{"type":"Feature","properties":{properties},"geometry":{geometry}}}"#)
    }

    const SQUARE: &str = r#"{"type":"Polygon","coordinates":[[[126,45],[127,45],[127,46.000001],[126,46],[126,45]]]}"#;

    fn collection(features: &[String], more: &str) -> String {
        format!(r#"{{"type":"FeatureCollection","name":"x","features":[{}]{more}}}"#, features.join(","))
    }

    fn faults(text: &str) -> Vec<(String, &'static str)> {
        let faults = Outlines::parse(text, &districts()).expect_err("faulty outlines");
        faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn codes_of_six_and_twelve_digits_meet_and_the_form_is_one_whatever_the_order() {
        let one = feature(r#"{"adcode":230102000000,"name":"甲"}"#, SQUARE);
        let two = feature(r#"{"region":"230103"}"#, &SQUARE.replace("[126,45]", "[126,45,100]"));
        let notes = r#","source":" 自然资源部门 ","review_number":"黑S(2025)1号""#;
        let read = Outlines::parse(&collection(&[one.clone(), two.clone()], notes), &districts()).expect("sound");
        assert_eq!(read.districts.keys().collect::<Vec<_>>(), ["230102", "230103000000"]);
        assert_eq!(read.source.as_deref(), Some("自然资源部门"));
        let other = Outlines::parse(&collection(&[two, one], notes), &districts()).expect("sound");
        assert_eq!(read.canonical(), other.canonical());
        let again = Outlines::parse(&read.canonical(), &districts()).expect("its own form");
        assert_eq!((again.canonical(), &again), (read.canonical(), &read));
        assert!(read.canonical().contains("[127.0,46.0]"), "rounded: {}", read.canonical());
        assert!(read.missing(&districts()).is_empty());
    }

    #[test]
    fn every_fault_is_told_with_its_feature() {
        let features = [
            feature(r#"{"region":"230102"}"#, SQUARE),
            feature(r#"{"region":"230102"}"#, SQUARE),
            feature(r#"{"region":"110101"}"#, SQUARE),
            feature(r#"{"name":"甲"}"#, SQUARE),
            feature(r#"{"region":"23"}"#, r#"{"type":"Point","coordinates":[1,2]}"#),
            feature(r#"{"region":"230103"}"#, &SQUARE.replace("126", "12600000")),
            feature(r#"{"region":"230103"}"#, r#"{"type":"Polygon","coordinates":[[[1,2],[2,3],[3,4],[5,6]]]}"#),
            r#"{"type":"Feature","geometry":{"type":"Polygon","coordinates":"x"}}"#.to_owned(),
            feature(r#"{"region":"230103"}"#, "null"),
        ];
        let told = faults(&collection(&features, r#","review_number":5"#));
        let expected = [
            ("/features/1/properties/region", "duplicate"),
            ("/features/2/properties/region", "unknown-region"),
            ("/features/3/properties", "no-code"),
            ("/features/4/properties/region", "bad-code"),
            ("/features/4/geometry", "geometry-type"),
            ("/features/5/geometry/coordinates", "coordinates"),
            ("/features/6/properties/region", "duplicate"),
            ("/features/6/geometry/coordinates", "open-ring"),
            ("/features/7", "bad-feature"),
            ("/features/8/properties/region", "duplicate"),
            ("/features/8/geometry", "geometry-type"),
            ("/review_number", "note"),
        ];
        assert_eq!(told, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn what_is_no_collection_is_refused_at_once() {
        assert_eq!(faults("{"), [(String::new(), "not-geojson")]);
        assert_eq!(faults("[1]"), [(String::new(), "not-geojson")]);
        assert_eq!(faults("{}"), [("/type".to_owned(), "not-a-collection")]);
        assert_eq!(faults(SQUARE), [("/type".to_owned(), "not-a-collection")]);
        assert_eq!(faults(&collection(&[], "")), [("/features".to_owned(), "no-feature")]);
        let line = Outlines::parse("{\n\n\"type\": x}", &districts()).expect_err("faulty")[0].line;
        assert_eq!(line, Some(3));
    }

    #[test]
    fn a_document_that_is_wrong_everywhere_does_not_fill_the_memory() {
        let wrong = vec!["5".to_owned(); 5000];
        let told = faults(&collection(&wrong, ""));
        assert_eq!((told.len(), told[1000].1), (1001, "more-faults"));
    }
}
