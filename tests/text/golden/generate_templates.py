"""templates.json: templates that use what the models' real ones use, in words of our own, and what transformers (5.23,
Jinja 3.1) renders from them. Run `python generate_templates.py` in this folder. strftime_now is left to the unit test.

{"conversations": [messages], name: {template, tokens, cases: [{conversation (its place), prompt, text | refused}]}}; refused: the template raises. conversations.py
is bench/conversations.py.
"""
import json
import sys

sys.path.insert(0, "../../../bench")
from conversations import conversations  # noqa: E402
from transformers.utils.chat_template_utils import render_jinja_template  # noqa: E402

TEMPLATES = {
    # a turn a message, a default system turn, the prompt (ChatML's way)
    "turns": """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '[[system]]
be useful[[end]]
' }}{% endif %}{{'[[' + message['role'] + ']]
' + message['content'] + '[[end]]' + '
'}}{% endfor %}{% if add_generation_prompt %}{{ '[[assistant]]
' }}{% endif %}
""",
    # thoughts cut out of the history, counted from the last question (Qwen3's way)
    "thoughts": """{#- a comment -#}
{%- if messages and messages[0].role == 'system' %}
    {{- '<sys>\\n' + messages[0].content|trim + '\\n' }}
{%- endif %}
{%- set ns = namespace(open=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.open and message.role == "user" and not(message.content.startswith('<r>') and message.content.endswith('</r>')) %}
        {%- set ns.open = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<' + message.role + '>\\n' + message.content + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set content = message.content %}
        {%- set thought = '' %}
        {%- if message.reasoning_content is defined and message.reasoning_content is not none %}
            {%- set thought = message.reasoning_content %}
        {%- elif '</think>' in message.content %}
            {%- set content = message.content.split('</think>')[-1].lstrip('\\n') %}
            {%- set thought = message.content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last and (loop.last or thought) %}
            {{- '<think>' + thought.strip('\\n') + '</think>' + content.lstrip('\\n') + eos_token }}
        {%- else %}
            {{- '<assistant>' ~ content }}{{ eos_token }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<assistant>\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- 'never' }}{%- endif %}
{%- endif %}
""",
    # strict order, errors (Llama 2's and Mistral's way)
    "strict": """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}
{%- for message in loop_messages -%}
  {% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate, not ' + message.role) }}{% endif %}
  {% if loop.index0 == 0 and system_message != false %}
    {% set content = '<<' + system_message + '>>\\n\\n' + message['content'] %}
  {% else %}
    {% set content = message['content'] %}
  {% endif %}
  {% if message['role'] == 'user' %}
    {{- 'Q ' + content.strip() + ' A' }}
  {% elif message['role'] == 'assistant' %}
    {{ ' ' + content.strip() + ' ' + eos_token }}
  {% endif %}
{% endfor %}""",
    # whitespace control, trim and lstrip of blocks, raw, set blocks
    "space": """  {% if true %}
    kept
  {%+ if true %}plus{% endif +%}
  {%- endif %}
{% raw %}{{ raw }} {% if %}{% endraw %}
{% set block %}
  a {{ messages|length }}
{% endset %}[{{ block }}]{% set up | upper | trim %} shout {% endset %}[{{ up }}]
{#+ comment +#}
\t{% for x in [1, 2] -%}
   {{ x }}
{%- endfor %}
end {{- '' -}}

  {{ "tail" }}
""",
    # macros, loops, filters, tests
    "parts": """{% macro show(x, open='(', close=none) %}{{ open }}{{ x }}{{ close or ')' }}{% endmacro %}
{%- macro walk(m, depth=0) %}{% if m is mapping %}{% for k, v in m|items %}{{ k }}:{{ walk(v, depth + 1) }};{% endfor %}{% elif m is string %}{{ m|length }}{% elif m is iterable %}{% for i in m %}{{ walk(i, depth=depth + 1) }},{% endfor %}{% else %}{{ depth }}{% endif %}{% endmacro %}
{{- show('x') + show(1, close=']') + show([1, 'a', "it's", none, true, 1.5, (1,)], '{') }}
{{ walk({'a': [1, {'b': 'cd'}], 'e': {}}) }} {{ walk(messages) }}
{% for m in messages if m.role != 'system' %}{{ loop.index }}/{{ loop.length }}{{ '' if loop.last else ',' }}{% if loop.index > 4 %}{% break %}{% endif %}{% if m.content == 'b' %}{% continue %}{% endif %}{{ loop.previtem.role if loop.previtem is defined else '-' }}{% else %}none{% endfor %}
{{ messages|map(attribute='role')|join('+') }} {{ messages|selectattr('role', 'equalto', 'user')|list|length }} {{ messages|rejectattr('role', 'in', ['user', 'tool'])|map(attribute='content')|first|default('nothing', true) }}
{{ [3, 1, 2]|sort|join }} {{ ['b', 'A', 'c']|sort(reverse=true)|join(',') }} {{ {'b': 1, 'a': 2}|dictsort }} {{ [1, 1, 2]|unique|list }} {{ [1, 2, 3, 4]|select('odd')|list }} {{ 'abc'|reverse }} {{ [1, 2]|last }}
{{ 'héllo wörld'|title }} {{ 'ÉA'|lower }} {{ 'a-b'|replace('-', '+')|upper }} {{ 'x\\ny\\n\\nz'|indent(2) }} {{ 'aXbX'|capitalize }} {{ '12'|int + 1 }} {{ '1.50'|float }} {{ -3|abs }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 1e3 }} {{ 0.1 + 0.2 }} {{ 1e-7 }} {{ 1e22 }}
{{ {'k': [1, 2.0, 'é"\\n', none, true, {}], 'z': {'y': []}}|tojson }} {{ {'k': [1, {'a': 'b'}]}|tojson(indent=2) }}
{{ 'a,b,,c'.split(',') }} {{ ' a  b '.split() }} {{ 'a b c'.split(' ', 1) }} {{ 'a.b.c'.rsplit('.', 1) }} {{ 'a\\nb\\r\\nc'.splitlines() }} {{ 'abab'.count('ab') }} {{ 'abc'.find('c') }} {{ 'é-x'.find('x') }} {{ 'xaxx'.strip('x') }} {{ 'pre-x'.removeprefix('pre-') }} {{ '-'.join(['a', 'b']) }}
{{ 'héllo'[1:3] }} {{ 'héllo'[-1] }} {{ [1, 2, 3, 4][::2] }} {{ [1, 2, 3][::-1] }} {{ [1, 2, 3][-2:] }} {{ (1, 2) + (3,) }} {{ [1] + [2] }} {{ 'ab' * 2 }} {{ 'a' ~ 1 ~ none }} {{ 1 < 2 < 3 }} {{ 'a' in 'abc' }} {{ 2 not in [1] }} {{ not 1 }} {{ 'x' if false }} {{ range(3)|list }} {{ range(5, 1, -2)|list }}
{{ undefined_thing is defined }} {{ undefined_thing }} {{ none is none }} {{ 3 is number }} {{ 'a' is string }} {{ [] is sequence }} {{ 4 is even }} {{ 9 is divisibleby 3 }} {{ true is boolean }} {{ 'A' is upper }} {{ messages is iterable }} {{ dict(a=1).get('b', 'c') }} {{ {'a': 1}.keys()|list }} {{ {'items': 5}['items'] }} {{ {'a': 1}.items()|list }} {{ "a" "b" }} {{ '\\x41\\u00e9\\t|' }} {{ (messages[0] or {}).role | default('no one') }}
""",
    # what is refused: an undefined member, an unknown name called
    "refusing": "{{ messages[0].content + '|' }}{% if messages[-1].role == 'assistant' %}{{ messages[0].nothing.more }}{% endif %}",
}
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


def main():
    out = {"conversations": conversations()}
    for name, template in TEMPLATES.items():
        cases = []
        for i, messages in enumerate(conversations()):
            for prompt in (False, True):
                if name in ("space", "parts", "refusing") and (prompt or i % 3):
                    continue
                case = {"conversation": i, "prompt": prompt}
                try:
                    case["text"] = render_jinja_template([messages], chat_template=template, add_generation_prompt=prompt, **TOKENS)[0][0]
                except Exception as error:
                    case["refused"] = type(error).__name__
                cases.append(case)
        out[name] = {"template": template, "tokens": TOKENS, "cases": cases}
    with open("templates.json", "w", encoding="utf-8") as f:
        f.write("{\n" + ",\n".join(json.dumps(k) + ":" + json.dumps(v, ensure_ascii=True, separators=(",", ":")) for k, v in out.items()) + "\n}\n")


main()
