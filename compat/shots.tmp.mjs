import { launchChromium } from './harness/chromium.js';
import { startServer } from './harness/server.js';
const b = await launchChromium(), s = await startServer('simple',['--content','/work/main/examples/simple/www']);
for (const [n,vp] of [['d',{width:1280,height:800}],['p',{width:390,height:844}]]) {
 const p = await b.newPage({viewport:vp,colorScheme:n==='d'?'dark':'light'});
 await p.goto(s.url+'?secret=no'); await p.getByText('Refused').waitFor(); await p.screenshot({path:`screenshots/tmp-${n}-refused.png`});
 await p.goto(s.url); await p.getByText('Connected').waitFor();
 await p.getByRole('button',{name:'Start stream'}).click(); await p.locator('#frames').filter({hasText:'Frame 2'}).waitFor();
 await p.getByRole('button',{name:'Bad argument'}).click(); await p.getByRole('button',{name:'Unknown method'}).click(); await p.waitForTimeout(300); await p.keyboard.press('Tab');
 await p.getByRole('button',{name:'Bad argument'}).press('Enter'); await p.waitForTimeout(300);
 await p.screenshot({path:`screenshots/tmp-${n}-stream.png`,fullPage:true}); await p.close(); }
await b.close(); await s.stop();
