"""What the site has only where _config.yml knows an address.

With `html: baseurl`, at which the site will stand, pages get a description and tags for those who share them, with a
picture; there are `sitemap.xml`, for search engines, and `404.html`, for addresses that lead nowhere. With
`repository: url` notebooks get the `launch_buttons`.
"""

from urllib.parse import urlsplit

PICTURE = "book/drawn/preview.png"
SETTINGS = {
    "ogp_image": "preview.png",
    "ogp_image_alt": "The cell of an LSTM: what is forgotten, written and shown at a step",
    "ogp_social_cards": {"enable": False},
    "ogp_custom_meta_tags": ['<meta name="twitter:card" content="summary_large_image" />'],
    "sitemap_url_scheme": "{link}",
    "sitemap_excludes": ["404.html", "genindex.html", "py-modindex.html", "search.html"],
    "html_extra_path": [PICTURE],
}


def setup(app):
    if app.config.html_baseurl:
        address = app.config.html_baseurl.rstrip("/") + "/"
        for extension in ("sphinxext.opengraph", "notfound.extension", "sphinx_sitemap"):
            app.setup_extension(extension)
        for name, value in SETTINGS.items():
            app.config[name] = value
        app.config.html_baseurl = app.config.ogp_site_url = address
        app.config.notfound_urls_prefix = urlsplit(address).path
    if not app.config.html_theme_options.get("repository_url"):
        app.config.html_theme_options["launch_buttons"] = {}  # the theme's buttons fail without
    return {"parallel_read_safe": True, "parallel_write_safe": True}
