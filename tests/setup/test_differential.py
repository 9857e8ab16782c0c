"""Third-party templates give, to the byte, what the cookiecutter command gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import Aimem
from tests.setup.trees import commit_all, cookiecutter, make, snapshot

SLUG = "{{ cookiecutter.slug }}"


def plain(context: dict[str, object], **files: str | bytes) -> dict[str, str | bytes]:
    """A template with these variables and files."""
    tree: dict[str, str | bytes] = {"cookiecutter.json": json.dumps(context)}
    return tree | {name.replace("SLUG", SLUG): content for name, content in files.items()}


TEMPLATES: dict[str, dict[str, str | bytes]] = {
    "names, folders and contents are rendered": {
        "cookiecutter.json": json.dumps(
            {
                "name": "My App",
                "slug": "{{ cookiecutter.name | lower | replace(' ', '-') }}",
                "module": "{{ cookiecutter.slug.replace('-', '_') }}",
            }
        ),
        f"{SLUG}/{{{{ cookiecutter.module }}}}/__init__.py": '"""{{ cookiecutter.name }}"""\n',
        f"{SLUG}/README.md": "# {{ cookiecutter.name }}\n\nno newline at the end",
        f"{SLUG}/empty/.gitkeep": "",
        f"{SLUG}/crlf.txt": "a {{ cookiecutter.slug }}\r\nb\r\n",
        f"{SLUG}/run.sh*": "#!/bin/sh\necho {{ cookiecutter.slug }}\n",
        f"{SLUG}/{{% if cookiecutter.slug == 'x' %}}gone.txt{{% endif %}}": "never",
        f"{SLUG}/ünï.txt": "{{ 'é' | upper }}",
    },
    "choices, private variables, booleans, dictionaries": {
        "cookiecutter.json": json.dumps(
            {
                "slug": "thing",
                "licence": ["MIT", "Apache-2.0", "None"],
                "docker": True,
                "count": 3,
                "nothing": None,
                "matrix": {"linux": {"py": "3.11"}, "{{ cookiecutter.slug }}": {"py": "3.12"}},
                "_private": "{{ cookiecutter.slug }} stays",
                "__made": "{{ cookiecutter.slug | upper }}",
                "__prompts__": {"slug": "The name", "licence": {"__prompt__": "L", "MIT": "free"}},
            }
        ),
        f"{SLUG}/all.txt": "{{ cookiecutter | jsonify }}\n{{ cookiecutter._private }}"
        " {{ cookiecutter.__made }} {{ cookiecutter.licence }} {{ cookiecutter.docker }}\n"
        "{% for k, v in cookiecutter.matrix.items() %}{{ k }}={{ v.py }};{% endfor %}"
        "{{ _cookiecutter.licence }}",
    },
    "what is not rendered, and what is binary": {
        "cookiecutter.json": json.dumps(
            {
                "slug": "raw",
                "_copy_without_render": ["*.html", "vendor", f"{SLUG}.keep", "*/deep/*.js"],
            }
        ),
        f"{SLUG}/page.html": "<p>{{ not.rendered }}</p>",
        f"{SLUG}/{SLUG}.html*": "{{ name.rendered }}",
        f"{SLUG}/vendor/{SLUG}.txt": "{{ copied }}",
        f"{SLUG}/src/deep/a.js": "{{ copied }}",
        f"{SLUG}/src/deep/b.ts": "{{ cookiecutter.slug }}",
        f"{SLUG}/image.png": bytes(range(256)) + b"{{ cookiecutter.slug }}",
    },
    "extensions, filters and Jinja's settings": {
        "cookiecutter.json": json.dumps(
            {
                "slug": "ext",
                "_extensions": ["jinja2.ext.do", "local_ext.Shout"],
                "_jinja2_env_vars": {"lstrip_blocks": True, "trim_blocks": True},
            }
        ),
        "local_ext.py": "from jinja2.ext import Extension\n\n\nclass Shout(Extension):\n"
        "    def __init__(self, environment):\n        super().__init__(environment)\n"
        "        environment.filters['shout'] = lambda text: text.upper() + '!'\n",
        "templates/part.txt": "part of {{ cookiecutter.slug }}",
        f"{SLUG}/a.txt": "{{ cookiecutter.slug | shout }}\n  {% if true %}\nx\n  {% endif %}\n"
        "{% set l = [] %}{% do l.append(1) %}{{ l }} {{ 'A b' | slugify }}"
        "{% include 'part.txt' %}",
    },
    "hooks are rendered and run in order": {
        "cookiecutter.json": json.dumps({"slug": "hooked", "keep": "no"}),
        "hooks/pre_gen_project.py": "from pathlib import Path\n"
        "Path('before.txt').write_text('{{ cookiecutter.slug }} {{ cookiecutter._template }}')\n",
        "hooks/post_gen_project.sh*": "#!/bin/sh\nset -e\nls > listed.txt\n"
        "{% if cookiecutter.keep == 'no' %}rm drop.txt{% endif %}\n"
        "ln -s listed.txt link\nmkdir -p hollow\nchmod 700 a.txt\necho beside > ../beside.txt\n",
        f"{SLUG}/drop.txt": "drop",
        f"{SLUG}/a.txt": "a",
    },
    "a hook before the questions changes the template": {
        "cookiecutter.json": json.dumps({"slug": "old"}),
        "hooks/pre_prompt.py": "import json\nfrom pathlib import Path\n"
        "Path('cookiecutter.json').write_text(json.dumps({'slug': 'new', 'extra': 'e'}))\n",
        f"{SLUG}/a.txt": "{{ cookiecutter.slug }} {{ cookiecutter.extra }}",
    },
    "where it goes and comes from can be rendered": {
        "cookiecutter.json": json.dumps({"slug": "where"}),
        "hooks/post_gen_project.py": "import os\nfrom pathlib import Path\n"
        "Path('cwd.txt').write_text(os.getcwd())\nos.symlink(os.getcwd() + '/cwd.txt', 'here')\n"
        "Path(r'{{ cookiecutter._output_dir }}', 'also.txt').write_text('x')\n",
        f"{SLUG}/a.txt": "{{ cookiecutter._output_dir }} {{ cookiecutter._template }}"
        " {{ cookiecutter._repo_dir }} {{ cookiecutter._checkout }}",
    },
    "one of several nested templates": {
        "cookiecutter.json": json.dumps(
            {
                "templates": {
                    "one": {"path": "./one", "title": "One", "description": "The first"},
                    "two": {"path": "./two", "title": "Two", "description": "The second"},
                }
            }
        ),
        "one/cookiecutter.json": json.dumps({"slug": "first"}),
        f"one/{SLUG}/a.txt": "{{ cookiecutter.slug }} {{ cookiecutter._template }}",
        "two/cookiecutter.json": json.dumps({"slug": "second"}),
        f"two/{SLUG}/b.txt": "{{ cookiecutter.slug }}",
    },
    "the older list of nested templates": {
        "cookiecutter.json": json.dumps({"template": ["One (./one)", "Two (./two)"]}),
        "one/cookiecutter.json": json.dumps({"slug": "first"}),
        f"one/{SLUG}/a.txt": "{{ cookiecutter.slug }}",
        "two/cookiecutter.json": json.dumps({"slug": "second"}),
        f"two/{SLUG}/b.txt": "{{ cookiecutter.slug }}",
    },
}


@pytest.fixture(params=TEMPLATES, ids=list(TEMPLATES))
def template(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return make(tmp_path / "templates" / "mine", TEMPLATES[request.param])


def test_a_folder_gives_the_same(aimem: Aimem, project: Path, template: Path) -> None:
    target = project / "out"
    cookiecutter(str(template), target)
    theirs = snapshot(target)
    target.rename(project / "theirs")
    ran = aimem("init", "--template", str(template), "--output", str(target), "--accept-hooks")
    assert "Wrote" in ran.out
    assert snapshot(target) == theirs


def test_a_second_run_changes_nothing(aimem: Aimem, project: Path, template: Path) -> None:
    arguments = ("init", "--template", str(template), "--accept-hooks")
    aimem(*arguments)
    before = snapshot(project)
    assert aimem(*arguments).out.startswith("Nothing to write")
    assert snapshot(project) == before


@pytest.mark.parametrize("ref", ["", "main", "v1", "commit"])
def test_a_git_repository_gives_the_same(
    aimem: Aimem, project: Path, tmp_path: Path, ref: str
) -> None:
    name = "names, folders and contents are rendered"
    template = make(tmp_path / "templates" / "mine", TEMPLATES[name])
    commit = commit_all(template)
    from tests.setup.trees import git

    git(template, "tag", "v1")
    cookiecutter(str(template), project / "theirs")
    make(template, {f"{SLUG}/later.txt": "later"})
    if ref in ("v1", "commit"):
        commit_all(template)
    else:
        commit_all(template)
        cookiecutter(str(template), project / "theirs", "--overwrite-if-exists")
    named = commit if ref == "commit" else ref
    source = f"file://{template}" + (f"#{named}" if named else "")
    aimem("init", "--template-source", source, "--output", "ours")
    assert snapshot(project / "ours") == snapshot(project / "theirs")


def test_one_template_of_a_repository_of_several(
    aimem: Aimem, project: Path, tmp_path: Path
) -> None:
    several = tmp_path / "several"
    make(
        several,
        {
            "a/cookiecutter.json": '{"slug": "a"}',
            f"a/{SLUG}/x.txt": "{{ cookiecutter._template }}",
            "templates/b/cookiecutter.json": '{"slug": "b"}',
            f"templates/b/{SLUG}/y.txt": "y",
        },
    )
    cookiecutter(str(several), project / "theirs", "--directory", "a")
    aimem("init", "--template-source", str(several), "--template", "a", "--output", "ours")
    assert snapshot(project / "ours") == snapshot(project / "theirs")
    aimem("init", "--template-source", str(several), "--template", "b")
    assert (project / "b" / "y.txt").read_text() == "y"
    said = aimem.fails("init", "--template-source", str(several), code=3)
    assert "a, templates/b" in said
    make(tmp_path / "outside", {"cookiecutter.json": '{"slug": "o"}', f"{SLUG}/z.txt": "z"})
    wanted = ("init", "--template-source", str(several), "--template", "../outside")
    assert "There is no template called" in aimem.fails(*wanted, code=3)


@pytest.mark.parametrize(
    "values",
    [{"slug": "other"}, {"licence": "None", "docker": "no"}, {"matrix": '{"x": {"py": "1"}}'}],
)
def test_values_and_a_configuration_file_count_as_they_do_there(
    aimem: Aimem, project: Path, tmp_path: Path, values: dict[str, str]
) -> None:
    name = "choices, private variables, booleans, dictionaries"
    template = make(tmp_path / "mine", TEMPLATES[name])
    context = {
        key: json.loads(value) if value.startswith("{") else value for key, value in values.items()
    }
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps({"default_context": {**context, "unknown": "ignored"}}))
    cookiecutter(str(template), project / "ours", "--config-file", str(file))
    (project / "ours").rename(project / "theirs")
    aimem(
        *("init", "--template", str(template), "--output", "ours", "--config-file", str(file)),
        *(part for key, value in values.items() for part in ("--set", f"{key}={value}")),
    )
    assert snapshot(project / "ours") == snapshot(project / "theirs")


def test_nothing_is_left_in_the_persons_home(
    aimem: Aimem, project: Path, template: Path, home: Path
) -> None:
    aimem("init", "--template", str(template), "--accept-hooks")
    assert snapshot(home) == {}
