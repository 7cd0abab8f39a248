// A real Bluesky PDS with its PLC directory, on loopback and in memory of this process, for
// tests/test_bluesky_real_pds.py. Says in one line of JSON where it is; ends when its input ends.
import { TestNetworkNoAppView } from '@atproto/dev-env'

const network = await TestNetworkNoAppView.create()
const client = network.pds.getClient()
const account = { handle: 'diskominfo.test', email: 'diskominfo@contoh.test', password: 'kata-sandi-akun' }
await client.createAccount(account)
await client.login({ identifier: account.handle, password: account.password })
const { data } = await client.com.atproto.server.createAppPassword({ name: 'gaung' })
console.log(JSON.stringify({ port: network.pds.port, handle: account.handle, password: data.password }))

process.stdin.on('end', () => process.exit(0))
process.stdin.resume()
