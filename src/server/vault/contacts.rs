//! The file of contact data: `case_id, address, name, phone, note`. A fault is told by its line and column, never by
//! what stood there.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroize;

use crate::server::{Fault, Text};

/// The columns, each once.
const COLUMNS: [&str; 5] = ["case_id", "address", "name", "phone", "note"];

/// A file with more faults than this is told these only.
const FAULTS_MAX: usize = 500;

/// One case's contact data in plain text; wiped when it is dropped and never printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// The case.
    pub case_id: String,
    /// Where it is.
    pub address: String,
    /// How to address the person (称谓); may be empty.
    pub name: String,
    /// Telephone number; may be empty.
    pub phone: String,
    /// What helps to find or reach them; may be empty.
    pub note: String,
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Contact({})", self.case_id)
    }
}

impl Drop for Contact {
    fn drop(&mut self) {
        for text in [&mut self.address, &mut self.name, &mut self.phone, &mut self.note] {
            text.zeroize();
        }
    }
}

impl Contact {
    pub(super) fn of(case_id: &str) -> Self {
        let mut contact = Self::default();
        case_id.clone_into(&mut contact.case_id);
        contact
    }

    /// The fields that have something to seal, by name.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all: [(&'static str, &str); 4] =
            [("address", &self.address), ("name", &self.name), ("phone", &self.phone), ("note", &self.note)];
        all.into_iter().filter(|(_, text)| !text.is_empty())
    }

    pub(super) fn set(&mut self, field: &str, text: &str) {
        let place = match field {
            "address" => &mut self.address,
            "name" => &mut self.name,
            "phone" => &mut self.phone,
            _ => &mut self.note,
        };
        text.clone_into(place);
    }

    /// The number's digits, so that two spellings of one number are found to be one.
    pub(super) fn phone_digits(&self) -> Option<String> {
        let digits: String = self.phone.chars().filter(char::is_ascii_digit).collect();
        (!digits.is_empty()).then_some(digits)
    }

    /// The number as lists and first looks show it: `138****1234`.
    pub fn masked_phone(&self) -> String {
        let digits = self.phone_digits().unwrap_or_default();
        match digits.len() {
            0 => String::new(),
            8.. => format!("{}****{}", &digits[..3], &digits[digits.len() - 4..]),
            _ => "****".to_owned(),
        }
    }
}

/// Reads and checks the file whole against the cases of the sample and those that were erased.
pub(super) fn parse(
    content: &str,
    known: &BTreeSet<String>,
    erased: &BTreeSet<String>,
) -> Result<Vec<Contact>, Vec<Fault>> {
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(content.as_bytes());
    let header: Vec<String> =
        reader.headers().map(|header| header.iter().map(str::to_owned).collect()).unwrap_or_default();
    let places = columns(&header).map_err(|fault| vec![*fault])?;
    let (mut contacts, mut faults, mut lines) = (Vec::new(), Vec::new(), BTreeMap::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, csv::Position::line);
                faults.push(fault("csv", line, None, "此行不是有效的 CSV", "this line is no CSV"));
                break;
            }
        };
        let line = record.position().map_or(1, csv::Position::line);
        if record.len() != COLUMNS.len() {
            faults.push(fault("columns", line, None, "列数与表头不符", "the line has not as many cells as the header"));
            continue;
        }
        let cell = |name: &str| places.get(name).and_then(|at| record.get(*at)).unwrap_or_default().to_owned();
        let contact = Contact {
            case_id: cell("case_id"),
            address: cell("address"),
            name: cell("name"),
            phone: cell("phone"),
            note: cell("note"),
        };
        let before = faults.len();
        check(&contact, line, known, erased, &mut faults);
        if let Some(first) = lines.insert(contact.case_id.clone(), line) {
            let en = format!("the case already stands in line {first}");
            faults.push(fault("duplicate", line, Some("case_id"), format!("该户已在第 {first} 行出现"), en));
        }
        if faults.len() == before {
            contacts.push(contact);
        }
        if faults.len() >= FAULTS_MAX {
            break;
        }
    }
    if contacts.is_empty() && faults.is_empty() {
        faults.push(fault("empty", 1, None, "文件没有数据行", "the file has no rows"));
    }
    if faults.is_empty() { Ok(contacts) } else { Err(faults) }
}

fn columns(header: &[String]) -> Result<BTreeMap<String, usize>, Box<Fault>> {
    let places: BTreeMap<String, usize> = header.iter().enumerate().map(|(at, name)| (name.clone(), at)).collect();
    let complete = COLUMNS.iter().all(|name| places.contains_key(*name)) && header.len() == COLUMNS.len();
    complete.then_some(places).ok_or_else(|| {
        let list = COLUMNS.join(", ");
        Box::new(fault("header", 1, None, format!("表头应为 {list}"), format!("the header must be {list}")))
    })
}

fn check(contact: &Contact, line: u64, known: &BTreeSet<String>, erased: &BTreeSet<String>, faults: &mut Vec<Fault>) {
    if erased.contains(&contact.case_id) {
        faults.push(erased_fault(Some(line)));
    } else if !known.contains(&contact.case_id) {
        let (zh, en) = ("样本中没有该户", "the case is not in the sample");
        faults.push(fault("unknown-case", line, Some("case_id"), zh, en));
    }
    if contact.address.is_empty() {
        faults.push(fault("missing", line, Some("address"), "缺少地址", "the address is missing"));
    }
    let lengths = [("address", &contact.address, 200), ("name", &contact.name, 50), ("note", &contact.note, 200)];
    for (column, text, signs_max) in lengths {
        if text.chars().count() > signs_max {
            let (zh, en) = (format!("超过 {signs_max} 字"), format!("longer than {signs_max} signs"));
            faults.push(fault("length", line, Some(column), zh, en));
        }
        if text.chars().any(char::is_control) {
            faults.push(fault("characters", line, Some(column), "含有控制字符", "has control characters"));
        }
    }
    if !contact.phone.is_empty() && !is_phone(&contact.phone) {
        let (zh, en) = (
            "应为 11 位手机号或带区号的固定电话",
            "must be a mobile number of 11 digits or a landline with its area code",
        );
        faults.push(fault("phone", line, Some("phone"), zh, en));
    }
}

/// A mobile number, or a landline with area code, with or without spaces and hyphens; nothing abroad.
fn is_phone(text: &str) -> bool {
    let digits: String = text.chars().filter(|sign| !matches!(sign, ' ' | '-')).collect();
    let mobile = digits.len() == 11 && digits.starts_with('1') && matches!(digits.as_bytes().get(1), Some(b'3'..=b'9'));
    let landline = (10..=12).contains(&digits.len()) && digits.starts_with('0');
    digits.bytes().all(|byte| byte.is_ascii_digit()) && (mobile || landline)
}

pub(super) fn erased_fault(line: Option<u64>) -> Fault {
    let text = Text::new(
        "该户的联系资料已按要求删除，不能再次导入",
        "the contact data of this case were erased and must not come back",
    );
    Fault { line, column: Some("case_id".to_owned()), ..Fault::new("erased", text) }
}

fn fault(code: &str, line: u64, column: Option<&str>, zh: impl Into<String>, en: impl Into<String>) -> Fault {
    let file = Some("contacts.csv".to_owned());
    Fault { file, line: Some(line), column: column.map(str::to_owned), ..Fault::new(code, Text::new(zh, en)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code, line and column of a fault.
    type Place = (String, u64, Option<String>);

    fn read(rows: &str) -> Result<Vec<Contact>, Vec<Place>> {
        let known = ["c1", "c2"].map(str::to_owned).into();
        let erased = ["c9".to_owned()].into();
        parse(&format!("case_id,address,name,phone,note\n{rows}"), &known, &erased)
            .map_err(|faults| faults.into_iter().map(|f| (f.code, f.line.unwrap_or(0), f.column)).collect())
    }

    #[test]
    fn rows_are_read_and_two_spellings_of_a_number_are_one() {
        let contacts =
            read("c1,某路 1 号,李先生,138 0000 1234,\nc2,\"某街，2 号\",,0451-86412345,白天在\n").expect("contacts");
        assert_eq!(contacts[0].phone_digits().as_deref(), Some("13800001234"));
        assert_eq!(contacts[0].masked_phone(), "138****1234");
        assert_eq!((contacts[1].address.as_str(), contacts[1].note.as_str()), ("某街，2 号", "白天在"));
    }

    #[test]
    fn every_fault_has_its_line_and_column_and_never_the_text() {
        let faults = read("c1,,x,123,\nc7,a,,,\nc9,a,,,\nc1,a,,,\nc2,a\n").expect_err("faults");
        let brief: Vec<_> =
            faults.iter().map(|(code, line, column)| (code.as_str(), *line, column.as_deref())).collect();
        let expected = [
            ("missing", 2, Some("address")),
            ("phone", 2, Some("phone")),
            ("unknown-case", 3, Some("case_id")),
            ("erased", 4, Some("case_id")),
            ("duplicate", 5, Some("case_id")),
            ("columns", 6, None),
        ];
        assert_eq!(brief, expected);
    }

    #[test]
    fn a_wrong_header_or_an_empty_file_is_one_fault() {
        assert!(parse("case_id,address\nc1,a\n", &BTreeSet::new(), &BTreeSet::new()).is_err());
        assert_eq!(read("").expect_err("a fault"), [("empty".to_owned(), 1, None)]);
    }

    #[test]
    fn a_contact_is_never_printed() {
        let mut contact = Contact::of("c1");
        contact.set("name", "李先生");
        assert_eq!(format!("{contact:?}"), "Contact(c1)");
    }
}
