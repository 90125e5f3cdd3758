//! The codebook as DDI Codebook 2.5, for archives and catalogues of surveys.

use std::io::Write;

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
    writer::ElementWriter,
};

use super::{Column, ColumnKind, Dictionary, FormatError, OpenPersons, ValueLabel, dictionary::Study, rows::Extent};
use crate::{
    export::{PERSONS_FILE, bundle::ANSWERS_FILE},
    indicator::{Label, plan},
};

type Out<'a> = Writer<&'a mut (dyn Write + Send)>;

pub(super) fn write(
    dictionary: &Dictionary,
    open: &mut OpenPersons<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), FormatError> {
    let extent = Extent::of(dictionary, open)?;
    let mut writer = Writer::new_with_indent(out, b' ', 1);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let book = [("xmlns", "ddi:codebook:2_5"), ("version", "2.5"), ("xml:lang", "zh-CN")];
    writer.create_element("codeBook").with_attributes(book).write_inner_content(|writer| {
        study(writer, dictionary.study())?;
        let study = dictionary.study();
        let persons = DataFile {
            id: "F1",
            name: PERSONS_FILE,
            about: "每人一行：设计变量、分组、得分与各步权数",
            rows: extent.rows,
            columns: &extent.columns,
        };
        let answers = DataFile {
            id: "F2",
            name: ANSWERS_FILE,
            about: "每人一行：各题回答的代码",
            rows: extent.rows,
            columns: dictionary.answers(),
        };
        file(writer, study, &persons, Some(&study.persons_sha256))?;
        file(writer, study, &answers, None)?;
        writer.create_element("dataDscr").write_inner_content(|writer| {
            [&persons, &answers].into_iter().try_for_each(|file| {
                file.columns.iter().enumerate().try_for_each(|(at, column)| variable(writer, file.id, at, column))
            })
        })?;
        Ok(())
    })?;
    Ok(writer.into_inner().write_all(b"\n")?)
}

/// A file that the codebook describes.
struct DataFile<'a> {
    id: &'static str,
    name: &'static str,
    about: &'static str,
    rows: u64,
    columns: &'a [Column],
}

fn text(element: ElementWriter<'_, &mut (dyn Write + Send)>, text: &str) -> std::io::Result<()> {
    element.write_text_content(BytesText::new(text)).map(|_| ())
}

fn study(writer: &mut Out<'_>, study: &Study) -> std::io::Result<()> {
    writer.create_element("stdyDscr").write_inner_content(|writer| {
        writer.create_element("citation").write_inner_content(|writer| {
            writer.create_element("titlStmt").write_inner_content(|writer| {
                text(writer.create_element("titl"), &study.title)?;
                text(writer.create_element("IDNo"), &study.code)
            })?;
            writer
                .create_element("verStmt")
                .write_inner_content(|writer| text(writer.create_element("version"), &study.standing().zh))?;
            Ok(())
        })?;
        writer.create_element("stdyInfo").write_inner_content(|writer| {
            writer
                .create_element("sumDscr")
                .write_inner_content(|writer| text(writer.create_element("geogCover"), &study.place))?;
            Ok(())
        })?;
        text(writer.create_element("notes"), &format!("问卷：{}；计分方案：{}", study.questionnaire, study.profile))
    })?;
    Ok(())
}

fn file(writer: &mut Out<'_>, study: &Study, file: &DataFile<'_>, sha256: Option<&str>) -> std::io::Result<()> {
    writer.create_element("fileDscr").with_attribute(("ID", file.id)).write_inner_content(|writer| {
        writer.create_element("fileTxt").write_inner_content(|writer| {
            text(writer.create_element("fileName"), file.name)?;
            text(writer.create_element("fileCont"), file.about)?;
            writer.create_element("dimensns").write_inner_content(|writer| {
                text(writer.create_element("caseQnty"), &file.rows.to_string())?;
                text(writer.create_element("varQnty"), &file.columns.len().to_string())
            })?;
            text(writer.create_element("fileType"), "text/csv; charset=utf-8")?;
            text(writer.create_element("software"), &study.engine)
        })?;
        if let Some(sha256) = sha256 {
            text(writer.create_element("notes"), &format!("SHA-256 {sha256}"))?;
        }
        Ok(())
    })?;
    Ok(())
}

fn variable(writer: &mut Out<'_>, file: &str, at: usize, column: &Column) -> std::io::Result<()> {
    let id = format!("{file}V{}", at + 1);
    let interval = if column.kind == ColumnKind::Number { "contin" } else { "discrete" };
    let mut element = writer.create_element("var").with_attributes([
        ("ID", id.as_str()),
        ("name", column.name.as_str()),
        ("files", file),
        ("intrvl", interval),
    ]);
    if column.name == plan::WEIGHT {
        element = element.with_attribute(("wgt", "wgt"));
    }
    element.write_inner_content(|writer| {
        labels(writer, &column.label)?;
        column.values.iter().try_for_each(|value| category(writer, value, false))?;
        column.missing.iter().try_for_each(|value| category(writer, value, true))?;
        let kind = if column.kind.is_number() { "numeric" } else { "character" };
        writer.create_element("varFormat").with_attributes([("type", kind), ("schema", "other")]).write_empty()?;
        Ok(())
    })?;
    Ok(())
}

fn category(writer: &mut Out<'_>, value: &ValueLabel, is_missing: bool) -> std::io::Result<()> {
    let mut element = writer.create_element("catgry");
    if is_missing {
        element = element.with_attribute(("missing", "Y"));
    }
    element.write_inner_content(|writer| {
        text(writer.create_element("catValu"), &value.code)?;
        labels(writer, &value.label)
    })?;
    Ok(())
}

fn labels(writer: &mut Out<'_>, label: &Label) -> std::io::Result<()> {
    text(writer.create_element("labl").with_attribute(("xml:lang", "zh-CN")), &label.zh)?;
    if label.en != label.zh {
        text(writer.create_element("labl").with_attribute(("xml:lang", "en")), &label.en)?;
    }
    Ok(())
}
