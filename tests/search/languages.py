"""A hundred languages: what each is called by those who speak it, and its word for water."""

from __future__ import annotations

_SPACED = """
Afrikaans water|Shqip ujë|አማርኛ ውሃ|العربية ماء|Aragonés agua|Հայերեն ջուր|অসমীয়া পানী|Asturianu agua
Azərbaycanca su|Башҡортса һыу|Euskara ura|Беларуская вада|বাংলা জল|Bosanski voda|Brezhoneg dour
Български вода|Català aigua|Cebuano tubig|Нохчийн хи|ᏣᎳᎩ ᎠᎹ|Чӑвашла шыв|Corsu acqua|Hrvatski voda
Čeština voda|Dansk vand|ދިވެހި ފެން|Nederlands water|English water|Esperanto akvo|Eesti vesi
Føroyskt vatn|Suomi vesi|Français eau|Frysk wetter|Galego auga|ქართული წყალი|Deutsch Wasser
Ελληνικά νερό|ગુજરાતી પાણી|Hausa ruwa|עברית מים|हिन्दी पानी|Magyar víz|Íslenska vatn|Igbo mmiri
Indonesia air|ᐃᓄᒃᑎᑐᑦ ᐃᒪᖅ|Gaeilge uisce|Italiano acqua|Jawa banyu|ಕನ್ನಡ ನೀರು|Қазақша су
Kinyarwanda amazi|Кыргызча суу|한국어 물|Kurdî av|Latina aqua|Latviešu ūdens
Lietuvių vanduo|Lëtzebuergesch Waasser|Македонски вода|Malagasy rano|Melayu air|മലയാളം വെള്ളം
Malti ilma|Māori wai|मराठी पाणी|Монгол ус|नेपाली पानी|ߒߞߏ ߖߌ|Norsk vann|Occitan aiga
ଓଡ଼ିଆ ପାଣି|پښتو اوبه|فارسی آب|Polski woda|Português água
ਪੰਜਾਬੀ ਪਾਣੀ|Runasimi yaku|Română apă|Русский вода|Samoa vai|Gàidhlig uisge|Српски вода|سنڌي پاڻي
සිංහල ජලය|Slovenčina voda|Slovenščina voda|Soomaali biyo|Español agua|Kiswahili maji|Svenska vatten
Тоҷикӣ об|தமிழ் தண்ணீர்|Татарча су|తెలుగు నీరు|ⵜⴰⵎⴰⵣⵉⵖⵜ ⴰⵎⴰⵏ|ትግርኛ ማይ|Türkçe su|Українська вода
اردو پانی|Oʻzbekcha suv|Tiếng_Việt nước|Cymraeg dŵr|Wolof ndox|IsiXhosa amanzi|ייִדיש וואַסער
Yorùbá omi|IsiZulu amanzi|བོད་སྐད ཆུ
"""
_UNSPACED = "ไทย น้ำ|ລາວ ນ້ຳ|ខ្មែរ ទឹក|မြန်မာ ရေ|中文 水|日本語 水|粵語 水"


def _pairs(table: str) -> dict[str, str]:
    entries = [each.split() for line in table.split("\n") for each in line.split("|") if each]
    return {name.replace("_", " "): water for name, water in entries}


SPACED = _pairs(_SPACED)
"""Languages with blanks between words."""
UNSPACED = _pairs(_UNSPACED)
"""Languages without."""
