/* Runs in the page: the contrast of each visible text with the nearest ground behind it. */
;(() => {
  const channels = (color) => (color.match(/[\d.]+/gu) ?? []).map(Number)
  const luminance = (color) => {
    const [red, green, blue] = channels(color).map((value) => {
      const part = value / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const ground = (start) => {
    for (let at = start; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor
      if (channels(color)[3] !== 0) return color
    }
    return 'rgb(255, 255, 255)'
  }
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.checkVisibility())
    .filter((element) =>
      [...element.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim()),
    )
    .map((element) => {
      const text = luminance(getComputedStyle(element).color)
      const behind = luminance(ground(element))
      return (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05)
    })
})()
