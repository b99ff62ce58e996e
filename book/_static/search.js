/* Adds sections to what Sphinx's search finds. Sphinx wants the words of a title or of the index side by side, as they stand there; here
   they may be in any order, with others between them: "dropout last layer" finds "Why is there no dropout after the last layer?". */
document.addEventListener("DOMContentLoaded", () => {
  const ASKED = new Set("what why how when which where who do does did can i my we you should must vs versus use".split(" "));
  const stemmer = new Stemmer();
  const stems = text => new Set(splitQuery(text.toLowerCase()).filter(word => !ASKED.has(word) && !stopwords.includes(word))
    .map(word => stemmer.stemWord(word)));

  // Each section with its title and with the words of the index that lead to it.
  function places() {
    const {alltitles, indexentries} = Search._index, found = new Map();
    const add = (text, file, id, title) => {
      const key = `${file}#${id ?? ""}`, place = found.get(key) ?? {file, id, title: text, texts: []};
      if (title) place.title = text;
      place.texts.push(stems(text));
      found.set(key, place);
    };
    for (const [text, all] of Object.entries(alltitles)) for (const [file, id] of all) add(text, file, id, true);
    for (const [text, all] of Object.entries(indexentries)) for (const [file, id, main] of all) if (main) add(text, file, id, false);
    return [...found.values()];
  }

  function sections(query) {
    const {docnames, titles, filenames} = Search._index, typed = [...stems(query)], found = [];
    for (const {file, id, title, texts} of typed.length ? places() : []) {
      const share = words => typed.every(word => words.has(word)) ? typed.length / words.size : 0;
      const all = new Set(texts.flatMap(words => [...words])), later = /^notebooks|solutions/.test(docnames[file]);
      const score = Math.max(share(all), ...texts.map(share)) * (later ? 0.5 : 1);  // a page answers sooner than an exercise
      const shown = titles[file] == title ? title : `${titles[file]} > ${title}`;
      if (score) found.push([docnames[file], shown, id ? "#" + id : "", null, score, filenames[file]]);
    }
    return found.sort((one, other) => other[4] - one[4]).slice(0, 8);
  }

  // What is shown first stands last in the list.
  const plain = Search._performSearch;
  Search._performSearch = (query, ...rest) => {
    const first = sections(query), there = new Set(first.map(each => each[0] + each[2]));
    return [...plain(query, ...rest).filter(each => !there.has(each[0] + each[2])), ...first.reverse()];
  };
});
