export { Libp2pLink } from './libp2p-link.ts'
