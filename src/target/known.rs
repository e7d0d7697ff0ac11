//! Flash parts known by their JEDEC ID alone, so that a wrong part can be called by its name. They cannot be chosen.

use std::sync::LazyLock;

use serde::Deserialize;

/// A part without data: a name for its ID.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Known {
    /// Answer to 9Fh.
    pub jedec_id: [u8; 3],
    /// Name, as its maker sells it; the family where several parts share the ID.
    pub name: String,
    /// Size in bytes.
    pub size_bytes: u32,
}

#[derive(Default, Deserialize)]
struct Table {
    part: Vec<Known>,
}

/// A file that cannot be read gives no names; a test makes sure that it can.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../targets/known-flash.toml")).unwrap_or_default()
});

impl Known {
    /// The part with this ID.
    pub fn by(jedec_id: [u8; 3]) -> Option<&'static Known> {
        TABLE.part.iter().find(|known| known.jedec_id == jedec_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::FlashPart;

    #[test]
    fn every_id_has_one_name_and_none_of_them_has_data() {
        assert!(TABLE.part.len() > 30, "the table is read");
        for known in &TABLE.part {
            let id = known.jedec_id;
            assert_eq!(Known::by(id), Some(known), "{id:02X?} stands twice");
            assert_eq!(FlashPart::builtin_by(id), None, "{id:02X?} has data");
            assert!(FlashPart::builtin(&known.name).is_err(), "{}", known.name);
            assert!(known.size_bytes.is_power_of_two(), "{}", known.name);
        }
    }

    #[test]
    fn an_id_is_called_by_its_name_or_by_none() {
        assert_eq!(FlashPart::named_by([0x9D, 0x60, 0x18]), Some("IS25LP128"));
        assert_eq!(FlashPart::named_by([0xEF, 0x70, 0x17]), Some("W25Q64JV-IM"));
        assert_eq!(FlashPart::named_by([0xEF, 0x40, 0x17]), Some("W25Q64JV"));
        assert_eq!(FlashPart::named_by([0x12, 0x34, 0x56]), None);
    }
}
