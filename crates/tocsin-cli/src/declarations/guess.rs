//! Which column is likely to mean what: by its name in the languages of customs offices, and by
//! what stands in it where that has a check digit.

use tocsin_core::product::Selector;
use tocsin_core::text::folded;
use tocsin_screen::line::Role;

use super::field::{Field, Part};

/// Words that a column's name consists of, for each field; the longest that fits wins.
const NAMES: &[(Field, &[&str])] = &[
    (
        Field::Declaration,
        &[
            "declaration",
            "declaration id",
            "declaration number",
            "mrn",
            "entry number",
            "entry no",
            "entry",
            "anmeldung",
            "registriernummer",
            "申告番号",
            "신고번호",
            "申报号",
            "lrn",
        ],
    ),
    (
        Field::Item,
        &[
            "item",
            "item number",
            "line",
            "line number",
            "line no",
            "position",
            "pos",
            "positionsnummer",
            "goods item number",
            "sequence",
            "欄番号",
            "란번호",
            "项号",
        ],
    ),
    (
        Field::Direction,
        &["direction", "verfahren", "flow", "procedure direction"],
    ),
    (
        Field::At,
        &[
            "date",
            "declared at",
            "acceptance date",
            "entry date",
            "datum",
            "annahmedatum",
            "申告年月日",
            "申告日",
            "신고일",
            "申报日期",
        ],
    ),
    (
        Field::Tariff,
        &[
            "tariff",
            "tariff code",
            "hs",
            "hs code",
            "hts",
            "hts code",
            "hts number",
            "commodity code",
            "commodity",
            "hs commodity code",
            "cn code",
            "taric",
            "warennummer",
            "zolltarifnummer",
            "codenummer",
            "税番",
            "統計品目番号",
            "hsコード",
            "세번",
            "세번부호",
            "hs부호",
            "商品编码",
            "税号",
        ],
    ),
    (
        Field::Description,
        &[
            "description",
            "goods description",
            "description of goods",
            "goods",
            "product",
            "product description",
            "warenbezeichnung",
            "beschreibung",
            "品名",
            "품명",
            "商品名称",
            "货物名称",
        ],
    ),
    (
        Field::Origin,
        &[
            "origin",
            "country of origin",
            "origin country",
            "coo",
            "ursprung",
            "ursprungsland",
            "原産国",
            "原産地",
            "원산지",
            "原产国",
        ],
    ),
    (
        Field::Dispatch,
        &[
            "dispatch",
            "country of dispatch",
            "country of export",
            "export country",
            "versendungsland",
            "積出国",
            "적출국",
            "启运国",
        ],
    ),
    (
        Field::Gtin,
        &[
            "gtin",
            "ean",
            "upc",
            "barcode",
            "bar code",
            "ean code",
            "jan",
            "janコード",
            "バーコード",
            "바코드",
            "条码",
        ],
    ),
    (
        Field::Model,
        &[
            "model",
            "model number",
            "model no",
            "part number",
            "part no",
            "mpn",
            "modell",
            "artikelnummer",
            "型番",
            "型式",
            "모델",
            "모델명",
            "型号",
        ],
    ),
    (
        Field::Serial,
        &[
            "serial",
            "serial number",
            "serial no",
            "seriennummer",
            "製造番号",
            "シリアル番号",
            "일련번호",
            "序列号",
        ],
    ),
    (
        Field::Batch,
        &[
            "batch",
            "lot",
            "batch number",
            "lot number",
            "charge",
            "ロット番号",
            "批号",
        ],
    ),
    (
        Field::Brand,
        &[
            "brand",
            "trademark",
            "trade mark",
            "make",
            "marke",
            "商標",
            "ブランド",
            "상표",
            "브랜드",
            "品牌",
        ],
    ),
    (
        Field::Container,
        &[
            "container",
            "container number",
            "container no",
            "containernummer",
            "コンテナ番号",
            "컨테이너번호",
            "集装箱号",
        ],
    ),
    (
        Field::TransportDocument,
        &[
            "bill of lading",
            "bl number",
            "b l number",
            "bl no",
            "awb",
            "air waybill",
            "transport document",
            "waybill",
            "frachtbrief",
            "船荷証券番号",
            "提单号",
        ],
    ),
    (
        Field::Vessel,
        &["vessel", "imo", "imo number", "vessel imo", "schiff"],
    ),
    (
        Field::Listing,
        &["listing", "listing url", "url", "marketplace id", "asin"],
    ),
    (Field::UnderBond, &["under bond", "bond", "bonded"]),
];

/// What parties are called.
const ROLES: &[(Role, &[&str])] = &[
    (
        Role::Importer,
        &[
            "importer",
            "importer of record",
            "ior",
            "einführer",
            "輸入者",
            "수입자",
            "进口商",
            "进口人",
        ],
    ),
    (
        Role::Exporter,
        &[
            "exporter",
            "shipper",
            "ausführer",
            "輸出者",
            "수출자",
            "出口商",
        ],
    ),
    (
        Role::Seller,
        &[
            "seller",
            "vendor",
            "supplier",
            "verkäufer",
            "売手",
            "판매자",
            "卖方",
        ],
    ),
    (
        Role::Buyer,
        &["buyer", "purchaser", "käufer", "買手", "구매자", "买方"],
    ),
    (
        Role::Manufacturer,
        &[
            "manufacturer",
            "maker",
            "producer",
            "hersteller",
            "製造者",
            "제조자",
            "生产商",
            "制造商",
        ],
    ),
    (
        Role::Consignee,
        &[
            "consignee",
            "recipient",
            "empfänger",
            "荷受人",
            "수하인",
            "收货人",
        ],
    ),
    (
        Role::Declarant,
        &[
            "declarant",
            "broker",
            "anmelder",
            "申告者",
            "신고인",
            "申报人",
        ],
    ),
    (
        Role::Carrier,
        &["carrier", "frachtführer", "運送人", "운송인", "承运人"],
    ),
];

/// What is said of them.
const PARTS: &[(Part, &[&str])] = &[
    (
        Part::Name,
        &["", "name", "名", "名称", "名前", "명", "상호"],
    ),
    (
        Part::Country,
        &["country", "country code", "land", "国", "국가"],
    ),
    (Part::Eori, &["eori", "eori number"]),
    (Part::Lei, &["lei"]),
    (Part::Mid, &["mid"]),
    (Part::Duns, &["duns", "duns number"]),
    (
        Part::Number,
        &[
            "id",
            "number",
            "no",
            "nummer",
            "code",
            "番号",
            "コード",
            "번호",
            "编号",
        ],
    ),
];

/// Cells that must agree before what stands in a column says more than its name.
const MIN_AGREEING: usize = 3;

/// A column, what it is taken for, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The column.
    pub column: String,
    /// What it is taken for; none where nothing fits.
    pub field: Option<Field>,
    /// Some of what stands in it.
    pub sample: Vec<String>,
}

/// What each column is likely to be. `rows` are some of the first, cell by cell.
#[must_use]
pub fn guess(columns: &[String], rows: &[Vec<String>]) -> Vec<Guess> {
    let mut taken: Vec<Field> = Vec::new();
    let mut guesses = Vec::new();
    for (place, column) in columns.iter().enumerate() {
        let cells: Vec<&str> = rows
            .iter()
            .filter_map(|row| row.get(place))
            .map(|cell| cell.trim())
            .filter(|cell| !cell.is_empty())
            .collect();
        let field = by_name(column).or_else(|| by_cells(&cells));
        // The first of two columns that are called alike.
        let field = field.filter(|field| !taken.contains(field));
        taken.extend(field);
        let mut sample: Vec<String> = Vec::new();
        for cell in cells {
            if sample.len() < MIN_AGREEING && !sample.iter().any(|known| known == cell) {
                sample.push(cell.chars().take(40).collect());
            }
        }
        guesses.push(Guess {
            column: column.clone(),
            field,
            sample,
        });
    }
    guesses
}

fn by_name(column: &str) -> Option<Field> {
    let name = words(column);
    let is = |known: &&str| words(known) == name;
    if let Some((field, _)) = NAMES.iter().find(|(_, names)| names.iter().any(&is)) {
        return Some(*field);
    }
    for (role, called) in ROLES {
        for who in *called {
            let Some(rest) = name.strip_prefix(words(who).as_str()) else {
                continue;
            };
            let rest = rest.trim();
            let part = PARTS
                .iter()
                .find(|(_, names)| names.iter().any(|n| words(n) == rest));
            if let Some((part, _)) = part {
                return Some(Field::Party(*role, *part));
            }
        }
    }
    None
}

/// What nearly every cell of a column has the check digit of.
fn by_cells(cells: &[&str]) -> Option<Field> {
    if cells.len() < MIN_AGREEING {
        return None;
    }
    let agree = |is: fn(&str) -> bool| {
        let count = cells.iter().filter(|cell| is(cell)).count();
        count >= MIN_AGREEING && count * 10 >= cells.len() * 9
    };
    let is_gtin = |cell: &str| cell.len() >= 12 && Selector::Gtin(cell.into()).canonical().is_ok();
    agree(is_gtin).then_some(Field::Gtin)
}

/// A name as words: `HSCommodity_Code` as `hs commodity code`.
fn words(name: &str) -> String {
    let mut text = String::new();
    let mut before = ' ';
    let mut letters = name.chars().peekable();
    while let Some(c) = letters.next() {
        let ends_capitals = letters.peek().is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && ends_capitals)) {
            text.push(' ');
        }
        before = c;
        text.push(if c.is_alphanumeric() { c } else { ' ' });
    }
    let folded = folded(&text).unwrap_or_default();
    let words: Vec<&str> = folded.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_name_in_several_languages() {
        for (column, word) in [
            ("MRN", "declaration"),
            ("hs_commodity_code", "tariff"),
            ("HSCode", "tariff"),
            ("Warenbezeichnung", "description"),
            ("Ursprungsland", "origin"),
            ("Einführer", "importer_name"),
            ("Importer EORI", "importer_eori"),
            ("importerName", "importer_name"),
            ("Seller Country", "seller_country"),
            ("品名", "description"),
            ("輸出者", "exporter_name"),
            ("수출자", "exporter_name"),
            ("型号", "model"),
            ("Container No.", "container"),
            ("EAN", "gtin"),
        ] {
            let found = guess(&[column.to_owned()], &[]);
            let word_found = found[0].field.map(Field::word);
            assert_eq!(word_found.as_deref(), Some(word), "{column}");
        }
        for column in [
            "weight",
            "currency",
            "nationality",
            "remarks",
            "importer nationality",
        ] {
            assert_eq!(guess(&[column.to_owned()], &[])[0].field, None, "{column}");
        }
    }

    #[test]
    fn an_item_number_is_known_by_its_check_digit() {
        let columns = ["a".to_owned(), "b".to_owned()];
        let codes = ["4006381333931", "0036000291452", "5901234123457"];
        let rows: Vec<Vec<String>> = codes
            .iter()
            .map(|code| vec![(*code).to_owned(), code.replace('1', "2")])
            .collect();
        let found = guess(&columns, &rows);
        assert_eq!(found[0].field, Some(Field::Gtin));
        assert_eq!(found[1].field, None);
        assert_eq!(found[0].sample.len(), 3);
    }

    #[test]
    fn one_field_is_taken_from_one_column() {
        let columns = ["GTIN", "EAN"].map(str::to_owned);
        let found = guess(&columns, &[]);
        assert_eq!((found[0].field, found[1].field), (Some(Field::Gtin), None));
    }
}
