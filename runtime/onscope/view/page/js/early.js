/* Before anything is drawn: the theme that was chosen here, so that a bright page does not flash in a dark room. */
{
  const chosen = localStorage.getItem("onscope.theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
}
