"""Languages and scripts of text bases: BCP 47 and ISO 15924 codes, as publishers list them."""

from __future__ import annotations


def split_codes(codes: str) -> tuple[str, ...]:
    """Return the codes of a list with spaces between."""
    return tuple(codes.split())


_INDIC_SCRIPTS = ("Beng", "Deva", "Gujr", "Guru", "Knda", "Mlym", "Taml", "Telu")
_MANY_SCRIPTS = ("Arab", "Armn", "Cyrl", "Geor", "Grek", "Hang", "Hans", "Hant", "Hebr", "Jpan", "Latn", "Mymr", "Thai")

XLMR_LANGUAGES = split_codes(
    "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu hy id is it "
    "ja jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my ne nl no om or pa pl ps pt ro ru sa sd si sk sl so sq "
    "sr su sv sw ta te th tl tr ug uk ur uz vi xh yi zh"
)
"""Of XLM-R (Conneau et al. 2020), and of models that were made from it."""
XLMR_SCRIPTS = tuple(sorted((*_MANY_SCRIPTS, *_INDIC_SCRIPTS, "Ethi", "Khmr", "Laoo", "Orya", "Sinh")))

MBERT_LANGUAGES = split_codes(
    "af an ar ast az azb ba bar be bg bn br bs ca ce ceb cs cv cy da de el en es et eu fa fi fr fy ga gl gu he hi hr "
    "ht hu hy id io is it ja jv ka kk kn ko ky la lb lmo lt lv mg min mk ml mn mr ms my nds ne new nl nn no oc pa pl "
    "pms pnb pt ro ru scn sco sh sk sl sq sr su sv sw ta te tg th tl tr tt uk ur uz vi vo war yo zh"
)
MBERT_SCRIPTS = tuple(sorted((*_MANY_SCRIPTS, *_INDIC_SCRIPTS)))

LABSE_LANGUAGES = split_codes(
    "af am ar as az be bg bn bo bs ca ceb co cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha haw he hi hmn hr "
    "ht hu hy id ig is it ja jv ka kk km kn ko ku ky la lb lo lt lv mg mi mk ml mn mr ms mt my ne nl no ny or pa pl pt "
    "ro ru rw si sk sl sm sn so sq sr st su sv sw ta te tg th tk tl tr tt ug uk ur uz vi wo xh yi yo zh zu"
)
LABSE_SCRIPTS = tuple(sorted((*XLMR_SCRIPTS, "Tibt")))

PARAPHRASE_LANGUAGES = split_codes(
    "ar bg ca cs da de el en es et fa fi fr gl gu he hi hr hu hy id it ja ka ko ku lt lv mk mn mr ms my nb nl pl pt ro "
    "ru sk sl sq sr sv th tr uk ur vi zh"
)
PARAPHRASE_SCRIPTS = tuple(sorted((*_MANY_SCRIPTS, "Deva", "Gujr")))
"""Of these languages only: its vocabulary is that of XLM-R, but nothing was learnt of the other scripts."""

AFRO_LANGUAGES = split_codes("af am ar en fr ha ig mg ny om pcm rn rw sn so st sw xh yo zu")
AFRO_76_LANGUAGES = split_codes(
    "af am ar arz bci bem bm cjk din dyu ee efi en ff fon fr gaa guw ha ig iso kab kam kbp kg ki kj kmb kqn kr kwy lg "
    "ln loz lu lua lue lun luo mg mos nqo nso nus ny nyk om pcm pt rn rnd rw sg sn so ss st sw taq ti tiv tll tn toi "
    "ts tum tw tzm umb ve wal wo xh yo zne zu"
)
AFRIBERTA_LANGUAGES = split_codes("am ha ig om pcm rn rw so sw ti yo")

ARABIC_LANGUAGES = ("ar", "acm", "aeb", "afb", "apc", "arq", "ary", "arz")

INDIC_LANGUAGES = split_codes("as bn brx doi en gom gu hi kha kn ks mai ml mni mr ne or pa sa sat sd ta te ur")
INDIC_SCRIPTS = tuple(sorted((*_INDIC_SCRIPTS, "Arab", "Latn", "Mtei", "Olck", "Orya")))
