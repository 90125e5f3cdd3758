//! What each piece of a report is, so that software that reads a PDF aloud can tell a heading from a table's cell.

use std::num::NonZeroU16;

use krilla::tagging::{Identifier, ListNumbering, Node, TableHeaderScope, Tag, TagGroup, TagKind, TagTree};

/// What a part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// A heading of this level with its words.
    Heading(NonZeroU16, String),
    Paragraph,
    Contents,
    ContentsEntry,
    List,
    Item,
    ItemMark,
    ItemBody,
    Table,
    Caption,
    TableHead,
    TableBody,
    Row,
    ColumnName,
    RowName,
    Cell,
    /// A drawing and what it says, in words.
    Drawing(String),
}

/// A part and the part that it stands in; none for those of the report itself.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) role: Role,
    pub(super) within: Option<usize>,
}

impl Role {
    fn tag(&self) -> TagKind {
        match self {
            Self::Heading(level, words) => Tag::Hn(*level, Some(words.clone())).into(),
            Self::Paragraph => Tag::P.into(),
            Self::Contents => Tag::TOC.into(),
            Self::ContentsEntry => Tag::TOCI.into(),
            Self::List => Tag::L(ListNumbering::Disc).into(),
            Self::Item => Tag::LI.into(),
            Self::ItemMark => Tag::Lbl.into(),
            Self::ItemBody => Tag::LBody.into(),
            Self::Table => Tag::Table.into(),
            Self::Caption => Tag::Caption.into(),
            Self::TableHead => Tag::THead.into(),
            Self::TableBody => Tag::TBody.into(),
            Self::Row => Tag::TR.into(),
            Self::ColumnName => Tag::TH(TableHeaderScope::Column).into(),
            Self::RowName => Tag::TH(TableHeaderScope::Row).into(),
            Self::Cell => Tag::TD.into(),
            Self::Drawing(words) => Tag::Figure(Some(words.clone())).into(),
        }
    }
}

/// The parts as a tree in reading order; `content` is what was drawn for each.
pub(super) fn tree(parts: &[Part], content: Vec<Vec<Identifier>>, language: &str) -> TagTree {
    let mut within = vec![Vec::new(); parts.len()];
    let mut whole = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        match part.within {
            Some(outer) => within[outer].push(at),
            None => whole.push(at),
        }
    }
    let mut content: Vec<Option<Vec<Identifier>>> = content.into_iter().map(Some).collect();
    let mut tree = TagTree::new().with_lang(Some(language.to_owned()));
    for at in whole {
        tree.push(group(at, parts, &within, &mut content));
    }
    tree
}

fn group(at: usize, parts: &[Part], within: &[Vec<usize>], content: &mut [Option<Vec<Identifier>>]) -> TagGroup {
    let own = content[at].take().unwrap_or_default();
    let mut children: Vec<Node> = own.into_iter().map(Node::from).collect();
    for &inner in &within[at] {
        children.push(group(inner, parts, within, content).into());
    }
    TagGroup::with_children(parts[at].role.tag(), children)
}
