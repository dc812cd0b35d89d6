/** The files of the page: read once at start, served from memory, nothing else is reachable. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface PageFile {
  readonly route: string
  readonly contentType: string
  readonly content: Buffer
}

const files: readonly (readonly [route: string, file: string, contentType: string])[] = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/page/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/page/page.css', 'page.css', 'text/css; charset=utf-8'],
  ['/page/icon.svg', 'icon.svg', 'image/svg+xml'],
]

/** They lie beside this module, in src/ as in dist/, where the build copies them. */
export function readPageFiles(): readonly PageFile[] {
  return files.map(([route, file, contentType]) => ({
    route,
    contentType,
    content: readFileSync(fileURLToPath(new URL(`./page/${file}`, import.meta.url))),
  }))
}
