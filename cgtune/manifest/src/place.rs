//! Where in a stream an object stands.

use std::fmt;

/// Which document, which item of its list, and the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The number of the document, counted from 1. Documents that hold nothing are not counted.
    pub document: u64,
    /// The index of the item in the document's list, counted from 0 as in a path; `None` outside lists.
    pub item: Option<u64>,
    /// The index within a list that is itself an item.
    pub nested: Option<u64>,
    /// The first line of the object, counted from 1 in its file.
    pub line: u64,
}

impl Place {
    /// The place as it is shown in a file that has so many documents: where it is the only one, its number says nothing.
    #[must_use]
    pub const fn among(self, documents: u64) -> Among {
        Among { place: self, documents }
    }
}

/// A [`Place`] in a file whose number of documents is known.
#[derive(Debug, Clone, Copy)]
pub struct Among {
    place: Place,
    documents: u64,
}

impl fmt::Display for Among {
    /// `document 2, items[3].items[0], line 40`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { document, item, nested, line } = self.place;
        if self.documents > 1 {
            write!(f, "document {document}, ")?;
        }
        match (item, nested) {
            (Some(item), Some(nested)) => write!(f, "items[{item}].items[{nested}], ")?,
            (Some(item), None) => write!(f, "items[{item}], ")?,
            (None, _) => {}
        }
        write!(f, "line {line}")
    }
}

impl fmt::Display for Place {
    /// As long as it is not known whether a second document follows, the first is not numbered.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.among(self.document).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_numbered_where_there_are_several() {
        let place = Place { document: 1, item: Some(3), nested: Some(0), line: 40 };
        assert_eq!(place.to_string(), "items[3].items[0], line 40");
        assert_eq!(place.among(2).to_string(), "document 1, items[3].items[0], line 40");
        assert_eq!(
            Place { document: 2, item: None, nested: None, line: 7 }.to_string(),
            "document 2, line 7"
        );
    }
}
