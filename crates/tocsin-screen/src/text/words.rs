//! Words of goods texts that say little, across languages.

use std::sync::LazyLock;

/// What a common word means, if it is one: the English word of its kind.
pub(super) fn meaning(word: &str) -> Option<&'static str> {
    let at = MEANINGS
        .binary_search_by(|(known, _)| (*known).cmp(word))
        .ok()?;
    MEANINGS.get(at).map(|(_, means)| *means)
}

/// Whether a word says nothing of goods.
pub(super) fn is_silent(word: &str) -> bool {
    word.len() <= 4 && SILENT.contains(&word)
}

/// Whether a word is a unit that numbers in goods texts have.
pub(super) fn is_unit(word: &str) -> bool {
    word.len() <= 5 && UNITS.contains(&word)
}

/// A Roman number as it stands in names of models, in digits. One letter is none.
pub(super) fn roman(word: &str) -> Option<&'static str> {
    Some(match word {
        "ii" => "2",
        "iii" => "3",
        "iv" => "4",
        "vi" => "6",
        "vii" => "7",
        "viii" => "8",
        "ix" => "9",
        "xi" => "11",
        "xii" => "12",
        _ => return None,
    })
}

/// Sorted by word.
static MEANINGS: LazyLock<Vec<(&'static str, &'static str)>> = LazyLock::new(|| {
    let words = FAMILIES
        .iter()
        .flat_map(|(means, words)| words.split_whitespace().map(|word| (word, *means)));
    let mut words: Vec<_> = words.collect();
    words.sort_unstable();
    words.dedup_by_key(|(word, _)| *word);
    words
});

/// Colours, people, uses and trade: the English word, and all that mean it.
const FAMILIES: &[(&str, &str)] = &[
    (
        "white",
        "white blanc blanche blancs blanches weiss weiß bianco bianca bianchi blanco blanca \
         wit wei biały biała białe bialy biale branco wht",
    ),
    (
        "black",
        "black noir noire schwarz nero nera negro negra zwart zwarte czarny czarna czarne \
         preto blk bk",
    ),
    (
        "red",
        "red rouge rot rosso rossa rojo roja rood czerwony czerwone vermelho",
    ),
    (
        "blue",
        "blue bleu bleue blau blu azul blauw niebieski niebieskie navy marine marino",
    ),
    (
        "green",
        "green vert verte grün grun verde groen zielony zielone",
    ),
    (
        "yellow",
        "yellow jaune gelb giallo amarillo geel żółty zolty amarelo",
    ),
    (
        "grey",
        "grey gray gris grise grau grigio grijs szary szare cinza",
    ),
    (
        "orange",
        "orange arancione naranja oranje pomarańczowy pomarańcz laranja",
    ),
    ("pink", "pink rose rosa roze różowy różowe"),
    (
        "silver",
        "silver argent silber argento plata plateado zilver srebrny",
    ),
    ("gold", "gold oro dorado goud złoty"),
    (
        "violet",
        "violet purple violett lila viola morado paars fioletowy",
    ),
    (
        "brown",
        "brown brun marron braun marrone marrón bruin brązowy",
    ),
    ("beige", "beige"),
    ("clear", "clear"),
    ("dark", "dark dunkel foncé scuro oscuro donker"),
    ("light", "light hell clair chiaro claro licht"),
    (
        "colour",
        "color colour couleur farbe colore kleur kolor colours colors",
    ),
    (
        "men",
        "men man mens herren homme hommes uomo hombre hombres heren męskie meskie",
    ),
    (
        "women",
        "women woman womens damen femme femmes donna mujer mujeres dames damskie fille",
    ),
    (
        "child",
        "kids kid child children junior jr boys girls boy girl kinder enfant enfants bambino \
         niño niños kinderen dziecięce youth toddler gs",
    ),
    (
        "shoe",
        "shoe shoes chaussure chaussures schuhe schuh herrenschuhe damenschuhe freizeitschuhe \
         laufschuhe lederschuhe scarpe scarpa zapatilla zapatillas zapatos schoenen schoen \
         buty but sneaker sneakers trainers trainer basket baskets boots boot botas footwear \
         cleats voetbalschoenen sportschoenen sneakersy tenisówki running laufen correr \
         hardlopen lifestyle sportswear",
    ),
    (
        "football",
        "football soccer futbol fútbol calcio fussball voetbal piłkarskie firm ground terrain \
         sec terreni compatti terrenos firmes trawa naturalna ferme grond",
    ),
    ("leather", "leather cuir leder pelle piel leer skóra"),
    ("new", "new neu nouveau nuovo nuevo nieuw nowy"),
    (
        "price",
        "price prices prijzen preis prix precio prezzo wholesale sale buy free shipping \
         online shop store cheap discontinued best offer",
    ),
    ("laptop", "laptop notebook portable"),
    ("drive", "drive disk festplatte"),
    ("with", "avec z"),
    ("version", "version edition ver"),
    ("pack", "pack kit set"),
];

const SILENT: [&str; 48] = [
    "a", "an", "and", "at", "by", "con", "das", "de", "der", "des", "die", "du", "e", "en", "es",
    "et", "eu", "for", "fr", "from", "il", "in", "it", "la", "le", "les", "met", "mit", "nl",
    "null", "of", "on", "or", "para", "per", "pl", "pour", "the", "to", "un", "una", "und", "us",
    "van", "von", "voor", "with", "y",
];

const UNITS: [&str; 35] = [
    "cm", "count", "ct", "ft", "g", "gb", "ghz", "hour", "hz", "in", "inch", "kb", "kg", "l", "lb",
    "m", "mah", "mb", "meter", "mhz", "ml", "mm", "mp", "oz", "pack", "pc", "piece", "pk", "rpm",
    "tb", "v", "volt", "w", "watt", "x",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_colour_is_one_word_in_every_language() {
        for word in ["white", "blanc", "weiß", "bianco", "blanco", "biały"] {
            assert_eq!(meaning(word), Some("white"), "{word}");
        }
        assert_eq!(meaning("samsung"), None);
    }
}
