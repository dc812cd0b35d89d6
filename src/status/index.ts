export { startStatus, type StatusLog, type StatusOptions, type StatusServer } from './server.js'
export { metricCatalogue, type MetricRow } from './metric-catalogue.js'
export type { ChangeRow, ChangesView } from './changes-view.js'
export type { PeerView, StatusView } from './status-view.js'
