//! Legal forms, by language: said with a name, never a part of it.

use std::sync::LazyLock;

/// What a legal form says of who is liable. Only bodies without gain contradict the others: firms
/// change their form, and translate it freely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    /// A firm of any kind.
    Firm,
    /// A body without gain: association, foundation by form.
    Body,
}

/// Where a form may stand in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Its words mean nothing else.
    Anywhere,
    /// Elsewhere its words mean something else: `as`, `co`, `sa`.
    AtAnEnd,
}

/// A legal form: its words in ASCII without points, and what they say.
struct Form {
    words: Vec<&'static str>,
    family: Family,
    place: Place,
}

/// The legal form that `words` begin with, if any: how many words it has. `is_at_end` says whether
/// the form would be the first or last of the name.
pub(super) fn form_at<'a>(
    words: impl Iterator<Item = &'a str> + Clone,
    is_end: impl Fn(usize) -> bool,
) -> Option<(usize, Family)> {
    let first = words.clone().next()?;
    let mut best: Option<(usize, Family)> = None;
    let forms = &*FORMS;
    let letter = usize::from(first.bytes().next()?.checked_sub(b'a')?);
    let (from, to) = (*forms.starts.get(letter)?, *forms.starts.get(letter + 1)?);
    let begin = |form: &&Form| form.words.first() == Some(&first);
    for form in forms.sorted.get(from..to)?.iter().filter(begin) {
        let count = form.words.len();
        let mut theirs = words.clone();
        let is_said = form.words.iter().all(|word| theirs.next() == Some(word));
        let fits = form.place == Place::Anywhere || is_end(count);
        if is_said && fits && best.is_none_or(|(longest, _)| count > longest) {
            best = Some((count, form.family));
        }
    }
    best
}

/// Forms in order, and where those of each first letter begin.
struct Forms {
    sorted: Vec<Form>,
    starts: [usize; 27],
}

/// Made once, from the lists below.
static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    let lists = [
        (FIRMS, Family::Firm, Place::Anywhere),
        (SHORT, Family::Firm, Place::AtAnEnd),
        (BODIES, Family::Body, Place::AtAnEnd),
    ];
    let forms = lists.into_iter().flat_map(|(list, family, place)| {
        list.split(',').map(move |form| Form {
            words: form.split_whitespace().collect(),
            family,
            place,
        })
    });
    let mut sorted: Vec<_> = forms.collect();
    sorted.sort_unstable_by(|a, b| a.words.cmp(&b.words));
    let mut letter = b'a';
    let starts = std::array::from_fn(|_| {
        let is_before = |f: &Form| {
            f.words
                .first()
                .is_some_and(|w| w.bytes().next() < Some(letter))
        };
        let at = sorted.partition_point(is_before);
        letter += 1;
        at
    });
    Forms { sorted, starts }
});

/// Their words mean nothing else.
const FIRMS: &str = "\
    akciova spolecnost, aksjeselskap, aktiebolag, aktiengesellschaft, aktiengeselschaft, \
    aktieselskab, aktsiaselts, aktsionerne tovaristvo, aktsionerne tovarystvo, aktsionernoe \
    obschestvo, aktsionernoe obshchestvo, aktsionernoye obschestvo, aktsionernoye obshchestvo, \
    allmennaksjeselskap, anonim sirket, anonim sirketi, anonymi etaireia, anonymi etairia, \
    anpartsselskab, as sti, besloten vennootschap, bhd, bvba, chusik hoesa, cia ltda, cjsc, \
    closed joint stock, closed joint stock company, co limited, co ltd, company inc, company \
    incorporated, company limited, company ltd, cong ty co phan, cong ty tnhh, cong ty trach \
    nhiem huu han, corp, corporation, d o o, dd, dmcc, doo, drustvo s ogranicenom odgovornoscu, \
    drustvo sa ogranicenom odgovornoscu, ead, eireli, eood, etaireia periorismenis efthynis, \
    etaireia periorismenis evthynis, eurl, fgup, fz llc, fzc, fzco, fze, fzllc, ges mbh, \
    gesellschaft m b h, gesellschaft mit beschraenkter haftung, gesellschaft mit beschrankter \
    haftung, gmbh, gmbh and co kg, gmbh co, gmbh co kg, gmbh und co kg, godo gaisha, godo \
    kaisha, gongsi, gufen gongsi, gufen youxian gongsi, gup, inc, incorporated, joint stock, \
    joint stock co, joint stock company, joynt stock company, jsc, julkinen osakeyhtio, jusik \
    hoesa, jusikhoesa, kabushiki gaisha, kabushiki kaisha, kabushikigaisha, kabushikikaisha, \
    kft, kgaa, kommanditgesellschaft, kommanditgesellschaft auf aktien, korlatolt felelossegu \
    tarsasag, lda, limitada, limited, limited company, limited liability, limited liability \
    company, limited liability partnership, limited partnership, limited sirketi, llc, lllp, \
    llp, lp, ltd, ltd co, ltd sti, ltda, mas uliyat mahduda, mbh, mup, naamloze vennootschap, \
    nepublichnoe aktsionernoe obshchestvo, nyrt, oao, obschestvo s ogranichennoi \
    otvetstvennostyu, obschestvo s ogranichennoy otvetstvennostyu, obshchestvo s ogranichennoi \
    otvetstvennostiu, obshchestvo s ogranichennoi otvetstvennostyu, obshchestvo s ogranichennoy \
    otvetstvennostyu, obshestvo s ogranichennoi otvetstvennostyu, ohg, ojsc, ood, ooo, open \
    joint stock, open joint stock company, osakeyhtio, osauhing, otkrytoe aktsionernoe \
    obschestvo, otkrytoe aktsionernoe obshchestvo, otkrytoye aktsionernoye obshchestvo, oyj, \
    pao, pat, perseroan terbatas, pjs, pjsc, pjsco, plc, prat, private joint stock company, \
    private limited, private limited company, pte, pte ltd, pty, pty ltd, public joint stock, \
    public joint stock company, public limited company, publichnoe aktsionernoe obschestvo, \
    publichnoe aktsionernoe obshchestvo, publichnoye aktsionernoye obshchestvo, pvt, pvt ltd, s \
    c a, s de rl, s de rl de cv, s en c, s p a, s r o, sa de cv, sab de cv, sabiedriba ar \
    ierobezotu atbildibu, saoc, saog, sapa, sarl, sas, sasu, saudi joint stock company, sdn bhd, \
    sherkat sahami, sherkate sahami, sia, sociedad anonima, sociedad anonima cerrada, sociedad \
    anonima de capital variable, sociedad de responsabilidad limitada, sociedad en comandita, \
    sociedad limitada, sociedad por acciones simplificada, sociedade anonima, sociedade \
    limitada, societa a responsabilita limitata, societa per azioni, societate cu raspundere \
    limitata, societate pe actiuni, societatea cu raspundere limitata, societe a responsabilite \
    limitee, societe anonyme, societe civile, societe en commandite, societe en commandite par \
    actions, societe par actions simplifiee, sp k, sp z o o, sp z oo, spa, spol s r o, \
    spolecnost s rucenim omezenym, spolka akcyjna, spolka z ograniczona odpowiedzialnoscia, spr \
    de rl, sprl, spzoo, srl, srl de cv, sro, too, tov, tovaristvo z obmezhenoyu \
    vidpovidalnistyu, tovaryshchestvo s ogranichennoy otvetstvennostyu, tovarystvo z obmezhenoiu \
    vidpovidalnistiu, tzov, uab, uzdaroji akcine bendrove, vat, vof, wll, youxian gongsi, \
    youxian zeren gongsi, yugen gaisha, yugen kaisha, yuhan hoesa, zakrytoe aktsionernoe \
    obschestvo, zakrytoe aktsionernoe obshchestvo, zakrytoye aktsionernoye obshchestvo, zao, zrt";

/// Elsewhere in a name these mean something else.
const SHORT: &str = "\
    a s, ab, ad, ae, ag, and cie, and co, and company, and partners, and sons, ans, ao, aps, as, \
    asa, at, bk, bv, c i, ci, cia, cie, co, compagnie, company, cv, da, eg, ei, ek, epe, est, \
    establishment, et cie, firma, gesellschaft, gk, hb, ik, ike, is, jv, kd, kg, kk, ks, nv, oe, \
    ou, oy, pc, pc ltd, private, ps, psc, pt, s de h, s en cs, sa, saa, sac, sae, sal, sb, sc, \
    sca, scp, scs, se, sl, slu, snc, sp, tbk, td, ug, und co, y cia, yk";

/// Forms without gain.
const BODIES: &str = "\
    ano, asbl, autonomous nonprofit organization, avtonomnaya nekommercheskaya organizatsiya, e \
    v, eingetragener verein, ev, foreningen, ngo, non profit organization, nonprofit \
    organization, onlus, stichting, stiftung, vzw";

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, is_end: bool) -> Option<usize> {
        form_at(text.split(' '), |_| is_end).map(|(count, _)| count)
    }

    #[test]
    fn the_table_is_sorted_by_first_words() {
        let firsts: Vec<_> = FORMS.sorted.iter().map(|form| form.words.first()).collect();
        assert!(firsts.is_sorted());
    }

    #[test]
    fn the_longest_form_is_taken() {
        assert_eq!(at("limited liability company acme", true), Some(3));
        assert_eq!(at("gmbh co kg", true), Some(3));
        assert_eq!(at("gesellschaft mit beschrankter haftung", true), Some(4));
        assert_eq!(at("sa de cv", true), Some(3));
    }

    #[test]
    fn short_forms_count_at_an_end_only() {
        assert_eq!(at("as good", false), None);
        assert_eq!(at("as", true), Some(1));
        assert_eq!(at("llc branch", false), Some(1));
        assert_eq!(at("acme", true), None);
    }
}
