//! Pages of a list: bounded in items and bytes, and tokens that are good for the same list only.

use prost::Message;
use tocsin_core::registry::Position;
use tocsin_log::checkpoint::Origin;
use tocsin_log::hash::Hash;

use crate::limits;
use crate::status::{Reason, Refusal};

/// One page as it was asked for.
#[derive(Debug)]
pub(crate) struct Page {
    size: usize,
    /// The key of the last item of the page before.
    after: Option<String>,
    /// What makes this list another than others.
    list: Hash,
}

impl Page {
    /// Reads what is asked for. `list` names the method and everything else that the request says,
    /// so that a token is refused for any other list.
    ///
    /// # Errors
    /// `FIELD_INVALID` for a negative size, and for a token that is not one of this list.
    pub(crate) fn read(page_size: i32, token: &str, list: &[&str]) -> Result<Self, Refusal> {
        let size = usize::try_from(page_size)
            .map_err(|_| Refusal::of(Reason::FieldInvalid).at("page_size"))?;
        let size = if size == 0 {
            limits::DEFAULT_PAGE_ITEMS
        } else {
            size
        };
        let list = list
            .iter()
            .flat_map(|part| [part.as_bytes(), &[0]])
            .collect::<Vec<_>>();
        let mut page = Self {
            size: size.min(limits::MAX_PAGE_ITEMS),
            after: None,
            list: Hash::of_parts(&list),
        };
        if !token.is_empty() {
            let key = token.split_once('.').map(|(_, key)| key);
            let key = key.filter(|key| page.token(key) == token);
            page.after = Some(key.ok_or_else(bad_token)?.to_owned());
        }
        Ok(page)
    }

    /// The key after which the page begins.
    pub(crate) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The place at which the page begins, in a list by place.
    ///
    /// # Errors
    /// `FIELD_INVALID` for a key that is no place.
    pub(crate) fn from(&self) -> Result<Option<Position>, Refusal> {
        let Some(after) = &self.after else {
            return Ok(None);
        };
        let read = || {
            let (origin, index) = after.rsplit_once('#')?;
            let index = index.parse::<u64>().ok()?.checked_add(1)?;
            Some(Position {
                origin: origin.parse::<Origin>().ok()?,
                index,
            })
        };
        read().map(Some).ok_or_else(bad_token)
    }

    /// Items that the page may hold, and one to know whether another page follows.
    pub(crate) const fn reach(&self) -> usize {
        self.size + 1
    }

    /// Takes items with their keys until the page is full; the token of the next page is empty
    /// after the last. What is not taken is not asked for, but for one.
    ///
    /// # Errors
    /// What an item fails with.
    pub(crate) fn fill<T: Message, R: Into<Refusal>>(
        &self,
        items: impl Iterator<Item = (String, Result<T, R>)>,
    ) -> Result<(Vec<T>, String), Refusal> {
        let (mut filled, mut bytes, mut last) = (Vec::new(), 0_usize, String::new());
        for (key, item) in items {
            if filled.len() >= self.size || bytes >= limits::MAX_PAGE_BYTES {
                return Ok((filled, self.token(&last)));
            }
            let item = item.map_err(Into::into)?;
            bytes = bytes.saturating_add(item.encoded_len());
            filled.push(item);
            last = key;
        }
        Ok((filled, String::new()))
    }

    fn token(&self, key: &str) -> String {
        let check = Hash::of_parts(&[self.list.as_bytes(), key.as_bytes()]).to_string();
        format!("{}.{key}", check.get(..CHECK_DIGITS).unwrap_or_default())
    }
}

/// The key of an item in a list by place.
pub(crate) fn key(position: &Position) -> String {
    format!("{}#{}", position.origin, position.index)
}

fn bad_token() -> Refusal {
    Refusal::of(Reason::FieldInvalid)
        .saying("the page token is not one that this node gave for this list")
        .at("page_token")
}

/// Hex digits that bind a token to its list: against mistakes, for there is nothing to forge.
const CHECK_DIGITS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(page: &Page, items: &[&str]) -> (Vec<String>, String) {
        let items = items
            .iter()
            .map(|item| (format!("k-{item}"), Ok((*item).to_owned())));
        page.fill::<String, Refusal>(items).unwrap()
    }

    #[test]
    fn pages_follow_one_another_until_the_last() {
        let first = Page::read(2, "", &["orders", ""]).unwrap();
        let (items, token) = fill(&first, &["a", "b", "c"]);
        assert_eq!(items, ["a", "b"]);
        let second = Page::read(2, &token, &["orders", ""]).unwrap();
        assert_eq!(second.after(), Some("k-b"));
        assert_eq!(fill(&second, &["c"]), (vec!["c".to_owned()], String::new()));
    }

    #[test]
    fn a_token_is_good_for_its_own_list_only() {
        let list = ["orders", "issuer = \"us\""];
        let (_, token) = fill(&Page::read(1, "", &list).unwrap(), &["a", "b"]);
        assert!(Page::read(9, &token, &list).is_ok());
        let others: [(&str, &[&str]); 4] = [
            (&token, &["orders", ""]),
            (&token, &["ordersissuer = \"us\""]),
            (&token[1..], &list),
            ("x", &list),
        ];
        for (token, list) in others {
            let refused = Page::read(1, token, list).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some("page_token"));
        }
        let changed = token.replace("k-a", "k-b");
        assert!(Page::read(1, &changed, &list).is_err());
    }

    #[test]
    fn sizes_are_bounded_and_a_negative_one_is_refused() {
        assert_eq!(
            Page::read(0, "", &[]).unwrap().size,
            limits::DEFAULT_PAGE_ITEMS
        );
        assert_eq!(
            Page::read(i32::MAX, "", &[]).unwrap().size,
            limits::MAX_PAGE_ITEMS
        );
        assert!(Page::read(-1, "", &[]).is_err());
    }

    #[test]
    fn a_page_ends_with_the_item_that_goes_over_its_bytes() {
        let page = Page::read(500, "", &["x"]).unwrap();
        let long = "x".repeat(limits::MAX_PAGE_BYTES / 2);
        let (items, token) = fill(&page, &[&long, &long, &long]);
        assert_eq!((items.len(), token.is_empty()), (2, false));
    }

    #[test]
    fn a_place_is_read_back_from_a_token() {
        let origin: Origin = "demo.tocsin.example/us/1".parse().unwrap();
        let position = Position {
            origin: origin.clone(),
            index: 7,
        };
        let page = Page::read(1, "", &["x"]).unwrap();
        let items = [7, 8].map(|index| {
            let position = Position {
                origin: origin.clone(),
                index,
            };
            (key(&position), Ok::<_, Refusal>(index))
        });
        let (_, token) = page.fill(items.into_iter()).unwrap();
        let next = Page::read(1, &token, &["x"]).unwrap();
        assert_eq!(
            next.from().unwrap(),
            Some(Position {
                index: 8,
                ..position
            })
        );
    }
}
