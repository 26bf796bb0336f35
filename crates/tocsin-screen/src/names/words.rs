//! What a word of a name says: much where it is a firm's own, little where many have it.

use std::sync::LazyLock;

/// How a word counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The name's own word.
    Own,
    /// A word that many names have: a line of business, a place, a given name given to many.
    Common,
    /// Says that it is a firm or body and little more: `company`, `group`.
    Hollow,
    /// `the`, `of`, `bin`, `von`, titles.
    Particle,
    /// One letter that stands for a word.
    Initial,
    /// A number, in digits, Roman or in words: must agree.
    Number,
}

impl Kind {
    /// How much a word of this kind weighs, in hundredths.
    pub(super) const fn weight(self) -> u8 {
        match self {
            Self::Own => 100,
            Self::Common => 55,
            Self::Hollow => 12,
            Self::Particle => 4,
            Self::Initial => 35,
            Self::Number => 0,
        }
    }
}

/// What is known of a word: how it counts, and the word that all its translations become.
pub(super) fn known(word: &str) -> Option<(Kind, &'static str)> {
    let words = &*WORDS;
    let letter = usize::from(word.bytes().next()?.checked_sub(b'a')?);
    let (from, to) = (*words.starts.get(letter)?, *words.starts.get(letter + 1)?);
    let all = words.sorted.get(from..to)?;
    let at = all
        .binary_search_by(|(known, _, _)| (*known).cmp(word))
        .ok()?;
    all.get(at).map(|(_, kind, means)| (*kind, *means))
}

/// The value of a number in words, or Roman; one letter is a number only where `is_last`.
pub(super) fn number(word: &str, is_last: bool) -> Option<u32> {
    let in_words = || {
        NUMBERS
            .iter()
            .find(|(w, _)| *w == word)
            .map(|(_, value)| *value)
    };
    if !(is_last && matches!(word, "i" | "v" | "x")) && word.len() < 2 {
        return None;
    }
    in_words().or_else(|| roman(word))
}

/// Roman numerals from I to XXXIX, written as they should be.
fn roman(word: &str) -> Option<u32> {
    let tens = word.bytes().take_while(|b| *b == b'x').count();
    let units = match word.get(tens..)? {
        "" => 0,
        "i" => 1,
        "ii" => 2,
        "iii" => 3,
        "iv" => 4,
        "v" => 5,
        "vi" => 6,
        "vii" => 7,
        "viii" => 8,
        "ix" => 9,
        _ => return None,
    };
    let tens = u32::try_from(tens).ok().filter(|tens| *tens <= 3)?;
    Some(10 * tens + units)
}

/// Number words; ordinals are not told apart from them.
const NUMBERS: [(&str, u32); 34] = [
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
    ("hundred", 100),
    ("second", 2),
    ("third", 3),
    ("fourth", 4),
    ("fifth", 5),
    ("sixth", 6),
    ("seventh", 7),
    ("eighth", 8),
    ("ninth", 9),
    ("tenth", 10),
    ("eleventh", 11),
    ("twelfth", 12),
    ("thousand", 1_000),
    ("million", 1_000_000),
];

/// Known words in order, and where the words of each first letter begin.
struct Words {
    sorted: Vec<(&'static str, Kind, &'static str)>,
    starts: [usize; 27],
}

/// Made once, from the tables below.
static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let families = MEANINGS.iter().flat_map(|(kind, means, words)| {
        words.split_whitespace().map(|word| (word, *kind, *means))
    });
    let single = SINGLE
        .split_whitespace()
        .map(|word| (word, Kind::Common, word));
    let mut sorted: Vec<_> = families.chain(single).collect();
    sorted.sort_unstable_by_key(|(word, _, _)| *word);
    let mut letter = b'a';
    let starts = std::array::from_fn(|_| {
        let at = sorted.partition_point(|(w, _, _)| w.bytes().next().is_some_and(|b| b < letter));
        letter += 1;
        at
    });
    Words { sorted, starts }
});

/// How they count, the word they become, and all that become it.
const MEANINGS: &[(Kind, &str, &str)] = &[
    (Kind::Particle, "abu", "abo abou abu"),
    (Kind::Particle, "al", "al el ul ur"),
    (Kind::Particle, "and", "and en et und ve"),
    (Kind::Particle, "bin", "ben bin bint binti bn ibn ibne"),
    (
        Kind::Particle,
        "for",
        "ad an ar as ash at az by dlya eddin for fur im in la le na on para per pour to ud with",
    ),
    (
        Kind::Particle,
        "mr",
        "capt captain col dr gen hadji haji hajji hon jr lady lord maulvi mawlawi miss mr mrs \
         ms mt mulla mullah mv prasident president prof professor rev sayed sayyed sayyid \
         shaikh shaykh sheik sheikh sir sr ss syed",
    ),
    (Kind::Particle, "named", "imeni named"),
    (
        Kind::Particle,
        "of",
        "af av da de degli dei del della den der des di do dos du of ot po van vom von zu zum \
         zur",
    ),
    (Kind::Particle, "the", "das die il las les lo los the"),
    (
        Kind::Hollow,
        "association",
        "asociacion assoc associacao association associazione gesellschaft obschestvo \
         obshchestvo sociedad sociedade societa societatea societe society verein",
    ),
    (
        Kind::Hollow,
        "brothers",
        "bros brothers fratelli freres gebruder hermanos sons",
    ),
    (
        Kind::Hollow,
        "company",
        "azienda compagnia compagnie companhia compania company firm firma gaisha gongsi hoesa \
         kaisha kompania kompaniya sharikat sherkat sherkate sirket sirketi spolka tarsasag",
    ),
    (
        Kind::Hollow,
        "enterprise",
        "business businesses concern empresa empresas enterprise enterprises entreprise \
         entreprises kontsern konzern predpriyatie predpriyatiye",
    ),
    (
        Kind::Hollow,
        "group",
        "group groupe grp grup grupo gruppa gruppe gruppo holdco holding holdings jituan",
    ),
    (
        Kind::Hollow,
        "organization",
        "branch est establishment establishments filial institution office org organisation \
         organizacion organization organizatsiya organizzazione unit",
    ),
    (Kind::Common, "abdul", "abd abdal abdel abdul"),
    (Kind::Common, "abdullah", "abdallah abdulla abdullah"),
    (Kind::Common, "africa", "africa african"),
    (Kind::Common, "agency", "agence agencia agency agentur"),
    (Kind::Common, "ahmad", "ahmad ahmed akhmed"),
    (
        Kind::Common,
        "air",
        "aereo aero air airlines airways avia aviacion aviation hangkong",
    ),
    (Kind::Common, "ali", "ali aly"),
    (Kind::Common, "america", "america american americas"),
    (Kind::Common, "asia", "asia asian"),
    (Kind::Common, "australia", "australia australian"),
    (
        Kind::Common,
        "bank",
        "banca banco bank banka bankas bankasi banking banque ginko yinhang",
    ),
    (Kind::Common, "beijing", "beijing peking"),
    (Kind::Common, "brasil", "brasil brazil"),
    (Kind::Common, "brigade", "brigade brigades"),
    (Kind::Common, "bureau", "bureau buro"),
    (Kind::Common, "canada", "canada canadian"),
    (
        Kind::Common,
        "center",
        "center centre centro merkez tsentr zentrum",
    ),
    (
        Kind::Common,
        "chemical",
        "chemical chemicals chemie chimica chimie huagong kagaku khimiya kimya petrochemical \
         petrochemicals quimica quimicos",
    ),
    (Kind::Common, "china", "china chinese zhongguo"),
    (Kind::Common, "committee", "commission committee"),
    (Kind::Common, "computer", "computer computers computing"),
    (
        Kind::Common,
        "construction",
        "bau builders building construccion construcciones construction constructions \
         constructora insaat jianshe kensetsu stroi stroitelstvo",
    ),
    (
        Kind::Common,
        "consulting",
        "consultancy consultants consulting",
    ),
    (Kind::Common, "department", "department dept"),
    (Kind::Common, "design", "design designs"),
    (
        Kind::Common,
        "development",
        "desarrollo development razvitie",
    ),
    (Kind::Common, "east", "east eastern"),
    (
        Kind::Common,
        "electric",
        "denki dianqi electric electrical electricity electrics elektrik elektro",
    ),
    (
        Kind::Common,
        "electronics",
        "denshi dianzi electronic electronica electronics elektronik elektronika jeonja",
    ),
    (
        Kind::Common,
        "energy",
        "energia energie energiya energy enerji nengyuan power",
    ),
    (
        Kind::Common,
        "engineering",
        "engineering engineers gongcheng ingenieria ingenierie inzhiniring muhendislik",
    ),
    (
        Kind::Common,
        "equipment",
        "equipment equipments equipos oborudovanie",
    ),
    (
        Kind::Common,
        "estate",
        "estate estates immobilien inmobiliaria nedvizhimost properties property realty",
    ),
    (Kind::Common, "europe", "euro europa europe european"),
    (
        Kind::Common,
        "export",
        "export exportadora exporter exporters exporting exports",
    ),
    (Kind::Common, "film", "film films"),
    (
        Kind::Common,
        "finance",
        "finance financial financiera finans finansovaya finansovyi finanz finanzas",
    ),
    (Kind::Common, "first", "erste first pervyi"),
    (
        Kind::Common,
        "food",
        "alimentaire alimentos food foods gida lebensmittel",
    ),
    (
        Kind::Common,
        "foundation",
        "bonyad fondation fondazione foundation fundacao fundacion vakif",
    ),
    (Kind::Common, "france", "francais francaise france"),
    (Kind::Common, "fund", "fond fondo fonds fund funds"),
    (Kind::Common, "gas", "gas gaz"),
    (Kind::Common, "general", "genel general generale"),
    (
        Kind::Common,
        "germany",
        "deutsche deutschland german germany",
    ),
    (Kind::Common, "gold", "gold golden"),
    (Kind::Common, "hassan", "hasan hassan"),
    (Kind::Common, "hotel", "hotel hotels"),
    (
        Kind::Common,
        "hussein",
        "hossein husain husein huseyin hussain hussein",
    ),
    (Kind::Common, "ibrahim", "ibraheem ibrahim"),
    (
        Kind::Common,
        "import",
        "impex import importadora importer importers importing imports",
    ),
    (Kind::Common, "india", "india indian"),
    (
        Kind::Common,
        "industry",
        "gongye ind industria industrial industriale industrias industrie industriel \
         industrielle industries industrii industriya industry kogyo promyshlennost sanayi \
         sangyo shiye",
    ),
    (Kind::Common, "institute", "institut institute instituto"),
    (
        Kind::Common,
        "insurance",
        "assurance assurances insurance seguros sigorta strakhovaya versicherung",
    ),
    (
        Kind::Common,
        "international",
        "global guoji int internacional international internationale internazionale intl \
         kokusai mezhdunarodnaya mezhdunarodnyi uluslararasi worldwide",
    ),
    (
        Kind::Common,
        "investment",
        "inversiones invest investimentos investissement investitsii investitsionnaya \
         investment investments touzi yatirim",
    ),
    (Kind::Common, "iran", "iran iranian"),
    (Kind::Common, "islamic", "eslami islami islamic"),
    (Kind::Common, "italy", "italia italian italiana italy"),
    (Kind::Common, "japan", "japan japanese nihon nippon"),
    (Kind::Common, "korea", "hanguk hankook korea korean"),
    (Kind::Common, "line", "line lines"),
    (
        Kind::Common,
        "logistics",
        "logistic logistica logistics logistik logistika logistique lojistik wuliu",
    ),
    (
        Kind::Common,
        "machinery",
        "jixie kikai machine machinen machinery machines makina maschinen maschinenbau mashiny",
    ),
    (
        Kind::Common,
        "management",
        "gestion management mgmt yonetim",
    ),
    (
        Kind::Common,
        "manufacturing",
        "fabrica fabrik fabrika fabrique factory manufacture manufacturer manufacturers \
         manufacturing mfg plant produccion production proizvodstvo seisakusho seizo usine \
         works zavod",
    ),
    (
        Kind::Common,
        "market",
        "market marketing markets retail shop store stores",
    ),
    (Kind::Common, "material", "malzeme material materials"),
    (
        Kind::Common,
        "medical",
        "health healthcare medica medical medicine medico salud sante tibbi",
    ),
    (
        Kind::Common,
        "metal",
        "acero acier celik demir gangtie iron metal metals stahl stal steel",
    ),
    (Kind::Common, "mexico", "mexicana mexico"),
    (
        Kind::Common,
        "mining",
        "gorno madencilik minera mines mining",
    ),
    (
        Kind::Common,
        "motor",
        "auto automobile automobiles automotive jidosha motor motoren motors otomotiv qiche",
    ),
    (
        Kind::Common,
        "muhammad",
        "mehmet mochammad mohamad mohamed mohammad mohammed mohamud muhamad muhammad muhammed \
         mukhammad",
    ),
    (
        Kind::Common,
        "national",
        "milli nacional national nationale natsionalnaya natsionalnyi",
    ),
    (Kind::Common, "network", "network networks"),
    (Kind::Common, "new", "neue new nouvelle nova nuevo"),
    (Kind::Common, "north", "north northern"),
    (
        Kind::Common,
        "oil",
        "neft oil oils petrol petrole petroleo petroleum shiyou",
    ),
    (Kind::Common, "partners", "partner partners partnership"),
    (
        Kind::Common,
        "pharmaceutical",
        "farma farmaceutica ilac pharm pharma pharmaceutica pharmaceutical pharmaceuticals \
         pharmacy seiyaku yiyao",
    ),
    (
        Kind::Common,
        "plastic",
        "plastic plasticos plastics plastik",
    ),
    (
        Kind::Common,
        "product",
        "product productos products produits produkte produktsiya produkty",
    ),
    (Kind::Common, "russia", "rossiiskaya rossiya russia russian"),
    (Kind::Common, "sales", "sales vertrieb"),
    (Kind::Common, "securities", "securities security"),
    (
        Kind::Common,
        "service",
        "dienste service services servicio servicios servis uslugi",
    ),
    (
        Kind::Common,
        "shipping",
        "denizcilik hangyun kaiun marine maritima maritime navegacion navigation shipping \
         sudokhodstvo",
    ),
    (Kind::Common, "solution", "soluciones solution solutions"),
    (Kind::Common, "south", "south southern"),
    (Kind::Common, "spain", "espana spain"),
    (
        Kind::Common,
        "state",
        "gosudarstvennoe gosudarstvennyi state",
    ),
    (
        Kind::Common,
        "supply",
        "sourcing supplier suppliers supplies supply",
    ),
    (
        Kind::Common,
        "system",
        "sistem sistema sistemas sistemy system systeme systemes systems",
    ),
    (
        Kind::Common,
        "technology",
        "gijutsu keji tech technical technologie technologies technology tecnologia tecnologias \
         tekhnologii tekhnologiya teknoloji",
    ),
    (
        Kind::Common,
        "telecom",
        "communication communications telecom telecommunication telecommunications \
         telecomunicaciones telekom",
    ),
    (
        Kind::Common,
        "textile",
        "apparel clothing fashion garment garments tekstil textil textile textiles",
    ),
    (Kind::Common, "thailand", "thai thailand"),
    (
        Kind::Common,
        "trading",
        "boeki comercial comercializadora comercio commerce commercial commerciale commercio \
         dagang handel handels maoyi shoji sovda ticaret torgovaya torgovlya torgovyi trade \
         trader traders trading",
    ),
    (
        Kind::Common,
        "transport",
        "nakliyat transit transport transportation transporte transportes transportnaya \
         transports",
    ),
    (Kind::Common, "turkey", "turk turkey turkiye"),
    (
        Kind::Common,
        "university",
        "universidad universitat universite university",
    ),
    (Kind::Common, "usa", "us usa"),
    (Kind::Common, "west", "west western"),
];

/// Words of the common kind that become no other.
const SINGLE: &str = "\
    army best capital central chen city club council data digital dongguan dubai exchange \
    federal federation front fujian green guangdong guangzhou hangzhou heavy home hong ivanov \
    jiangsu john khan kim kong league lee li life liu london malaysia maria media middle \
    ministry movement ningbo osaka pacific party plus port precision qingdao real research \
    royal school shandong shanghai shenzhen singapore singh smart smith software star sun \
    super suzhou taiwan tianjin tokyo top trust uk union united vietnam wang wholesale world \
    xiamen yiwu zhang zhejiang";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_says_each_word_once() {
        assert!(WORDS.sorted.windows(2).all(|w| w[0].0 < w[1].0));
        assert_eq!(WORDS.starts[26], WORDS.sorted.len());
    }

    #[test]
    fn translations_become_one_word() {
        for word in ["industries", "industrie", "sangyo", "kogyo"] {
            assert_eq!(
                known(word).map(|(_, means)| means),
                Some("industry"),
                "{word}"
            );
        }
        assert_eq!(known("samsung"), None);
    }

    #[test]
    fn numbers_are_read_in_words_and_roman() {
        assert_eq!(number("forty", false), Some(40));
        assert_eq!(number("xiii", false), Some(13));
        assert_eq!(number("v", true), Some(5));
        assert_eq!(number("v", false), None);
        assert_eq!(number("vix", true), None);
        assert_eq!(number("", true), None);
    }
}
